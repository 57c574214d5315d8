"""What the API's description and its limits look like in a real browser."""

from collections.abc import Callable

from playwright.sync_api import Browser, expect

pytest_plugins = ("web_fixtures", "api_fixtures", "browser_fixtures")


def test_the_description_is_read_without_any_other_host(browser: Browser, api_address: str) -> None:
    page = browser.new_context().new_page()
    requests, complaints = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text))
    page.goto(f"{api_address}/api/docs")
    expect(page.get_by_role("heading", name="Rapporteur")).to_be_visible()
    operation = page.locator(".opblock", has_text="Ask a question").first
    operation.locator(".opblock-summary-control").click()
    expect(operation).to_contain_text("Too many questions; see Retry-After.")
    assert complaints == []
    assert all(url.startswith((api_address, "data:")) for url in requests)
    assert page.context.cookies() == []
    page.context.close()


def test_too_many_questions_are_told_in_the_chat(
    browser: Browser, serve_with: Callable[..., str]
) -> None:
    page = browser.new_context().new_page()
    page.set_default_timeout(15_000)
    page.goto(serve_with(api_per_day=1))
    box = page.get_by_label("Your question")
    ask = page.get_by_role("button", name="Ask", exact=True)
    box.fill("Who sits on the harbour tribunal?")
    ask.click()
    expect(page.locator("#status")).to_contain_text("The answer is ready.")
    box.fill("How often does the assembly of the islands meet?")
    ask.click()
    told = page.get_by_text("Too many questions have been asked.").first
    expect(told).to_contain_text("Try again in")
    expect(ask).to_be_enabled()
    expect(page.locator("#chat-log")).to_contain_text("Seven judges")
    page.context.close()
