"""The chat in a real browser: asked, read by keyboard, changed, kept apart, sending nothing out."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from web_material import Visit, passage_with

from assistant.chain import Assistant

pytest_plugins = ("web_fixtures", "browser_fixtures")

OFTEN = "How often does the assembly of the islands meet?"
OFTEN_ANSWER = "three times a year"
JUDGES = "Who sits on the harbour tribunal?"
JUDGES_ANSWER = "Seven judges sit on the harbour tribunal."

Open = Callable[..., Visit]


def ask(page: Page, question: str) -> None:
    rows = page.locator("#chat-log .user-row")
    before = rows.count()
    page.get_by_label("Your question").fill(question)
    page.keyboard.press("Enter")
    expect(rows).to_have_count(before + 1)
    finished(page)


def finished(page: Page) -> None:
    expect(page.locator("#status")).to_contain_text("The answer is ready.")
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible()


def answers(page: Page) -> list[str]:
    return page.locator("#chat-log .bot-row").all_inner_texts()


def panel(page: Page):
    return page.locator("#source-panel")


def test_a_question_is_answered_and_its_source_opened_by_keyboard_alone(visit: Open) -> None:
    page = visit().page
    expect(page.locator("h1")).to_have_text("Rapporteur")
    box = page.get_by_label("Your question")
    expect(box).to_be_visible()
    for _ in range(30):
        if box.evaluate("node => node === document.activeElement"):
            break
        page.keyboard.press("Tab")
    page.keyboard.type(OFTEN)
    page.keyboard.press("Enter")
    finished(page)
    expect(page.locator("#chat-log")).to_contain_text(OFTEN_ANSWER)
    expect(page.locator("#chat-log")).to_contain_text(re.compile(r"\d of \d quotations? found"))
    marker = page.get_by_role("button", name="Source 1", exact=True).first
    for _ in range(40):
        if marker.evaluate("node => node === document.activeElement"):
            break
        page.keyboard.press("Shift+Tab")
    expect(marker).to_be_focused()
    page.keyboard.press("Enter")
    expect(panel(page)).to_be_visible()
    expect(panel(page).locator("mark")).to_contain_text(OFTEN_ANSWER)
    expect(panel(page).locator("h2")).to_have_text("The assembly of the islands")
    expect(panel(page).locator("h2")).to_be_focused()
    for shown in ("How often it meets", "institution", "2021-05-04", "Retold in the project's"):
        expect(panel(page)).to_contain_text(shown)
    original = panel(page).get_by_role("link", name=re.compile("Read the original"))
    assert original.get_attribute("href") == "https://islands.example/assembly"
    page.keyboard.press("Escape")
    expect(panel(page)).to_be_hidden()
    expect(marker).to_be_focused()
    page.keyboard.press(" ")
    expect(panel(page)).to_be_visible()


def test_old_markers_still_work_after_more_questions(visit: Open) -> None:
    page = visit().page
    ask(page, OFTEN)
    ask(page, JUDGES)
    first, second = page.locator("#chat-log .bot-row").all()
    for row, words in ((first, OFTEN_ANSWER), (second, "judges")):
        row.get_by_role("button", name="Source 1", exact=True).first.click()
        expect(panel(page).locator("mark")).to_contain_text(words)
        page.keyboard.press("Escape")


def test_a_permanent_link_stands_without_the_chat(visit: Open, assistant: Assistant) -> None:
    identity, start, end = passage_with(assistant, JUDGES_ANSWER)
    path = f"/passages/{identity}?start={start}&end={end}"
    page = visit(path, java_script_enabled=False).page
    expect(page.locator("mark")).to_have_text(JUDGES_ANSWER)
    expect(page.locator("h1")).to_have_text("The harbour tribunal")
    page.get_by_role("link", name="Read the whole document").click()
    expect(page.locator("#main")).to_contain_text("within sixty days")


def test_retry_undo_and_edit(visit: Open) -> None:
    page = visit().page
    ask(page, OFTEN)
    ask(page, JUDGES)
    page.get_by_role("button", name="Retry").click()
    finished(page)
    expect(page.locator("#chat-log .bot-row")).to_have_count(2)
    expect(page.locator("#chat-log .bot-row").last).to_contain_text("judges")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#chat-log .bot-row")).to_have_count(1)
    expect(page.get_by_label("Your question")).to_have_value(JUDGES)
    page.locator("#chat-log").get_by_role("button", name="Edit").first.click()
    field = page.locator("#chat-log textarea")
    expect(field).to_have_value(OFTEN)
    field.fill("What do critics of the assembly say?")
    page.locator("#chat-log").get_by_role("button", name="Submit").click()
    expect(page.locator("#chat-log .user-row")).to_contain_text("critics")
    expect(page.locator("#chat-log .bot-row")).to_contain_text("rarely enforced")
    expect(page.locator("#chat-log .bot-row")).to_have_count(1)


def test_stop(visit: Open) -> None:
    page = visit().page
    box = page.get_by_label("Your question")
    box.fill(f"{OFTEN} slowly")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    box.fill("What comes next")
    page.get_by_role("button", name="Stop").click()
    expect(box).to_have_value("What comes next")
    expect(page.locator("#chat-log .bot-row")).to_contain_text("Stopped before the answer")
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible()
    ask(page, JUDGES)
    assert "judges" in answers(page)[-1]


def test_starters_follow_ups_and_a_new_conversation(visit: Open) -> None:
    page = visit().page
    starter = page.locator("#starters button:visible").first
    question = starter.inner_text()
    starter.click()
    finished(page)
    expect(page.locator("#chat-log .user-row")).to_contain_text(question)
    expect(page.locator("#starters")).to_be_hidden()
    page.get_by_role("button", name="New conversation").click()
    expect(page.locator("#starters")).to_be_visible()
    expect(page.locator("#chat-log .user-row")).to_have_count(0)
    ask(page, OFTEN)
    offered = page.locator("#chat-log button.option")
    words = offered.first.inner_text()
    offered.first.click()
    expect(page.locator("#chat-log .user-row").last).to_contain_text(words)
    expect(page.locator("#chat-log .bot-row")).to_have_count(2)


def test_a_refusal_offers_what_is_closest(visit: Open) -> None:
    page = visit().page
    ask(page, "What is the boiling point of tungsten?")
    row = page.locator("#chat-log .bot-row")
    expect(row).to_contain_text("Closest in the library")
    expect(row.locator("a.marker")).to_have_count(0)
    row.get_by_role("button").first.click()
    expect(panel(page).locator("h2")).to_be_visible()


def test_errors_are_polite(visit: Open) -> None:
    page = visit().page
    page.get_by_label("Your question").fill(f"{OFTEN} fail now")
    page.keyboard.press("Enter")
    expect(page.locator("#chat-log .bot-row")).to_contain_text("Please try again.")
    assert "sk-FAKE" not in page.content()
    page.get_by_label("Your question").fill("   ")
    page.keyboard.press("Enter")
    expect(page.locator("#status")).not_to_be_empty()


def test_two_visitors_never_see_each_other(visit: Open) -> None:
    one, two = visit().page, visit().page
    one.get_by_label("Your question").fill(f"{OFTEN} slowly")
    one.keyboard.press("Enter")
    expect(one.get_by_role("button", name="Stop")).to_be_visible()
    ask(two, JUDGES)
    assert "judges" in answers(two)[0]
    assert "assembly" not in two.locator("#chat-log").inner_text()
    assert "tribunal" not in one.locator("#chat-log").inner_text()
    one.get_by_role("button", name="Stop").click()
    expect(one.locator("#status")).to_have_text("Stopped.")
    ask(one, OFTEN)
    assert "tribunal" not in one.locator("#chat-log").inner_text()


def test_nothing_leaves_the_machine_and_nothing_is_stored(visit: Open, chat_address: str) -> None:
    opened = visit()
    page = opened.page
    ask(page, "What must lanterns on the quay burn?")
    expect(page.locator("#chat-log")).to_contain_text("whale oil")
    page.get_by_role("button", name="Source 1", exact=True).first.click()
    expect(panel(page).locator("mark")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="Library").click()
    expect(page.locator("#shelf")).to_contain_text("3 of 3 documents")
    assert {url for url in opened.requests if not url.startswith((chat_address, "data:"))} == set()
    assert opened.complaints == []
    stored = page.evaluate(
        "async () => [document.cookie, localStorage.length, sessionStorage.length,"
        " (await indexedDB.databases()).length]"
    )
    assert stored == ["", 0, 0, 0]
    assert page.locator("#chat-log img, #shelf img, #source-panel img").count() == 0
    hrefs = page.eval_on_selector_all("#chat-log a", "all => all.map(a => a.getAttribute('href'))")
    assert all(href.startswith("#") for href in hrefs)


def test_the_library_is_searched_and_read(visit: Open) -> None:
    page = visit().page
    page.get_by_role("tab", name="Library").click()
    page.get_by_label("Words in title, kind or text").fill("petitions")
    expect(page.locator("#shelf")).to_contain_text("1 of 3 documents")
    page.locator("#shelf").get_by_role("button", name="The assembly of the islands").click()
    expect(panel(page).get_by_role("heading", name="What critics say")).to_be_visible()
    expect(panel(page)).to_contain_text("the vote on new members.")


def test_filters_limit_the_answer(visit: Open) -> None:
    page = visit().page
    page.get_by_text("Search only in some documents").click()
    page.get_by_label("mechanism (1)").check()
    ask(page, JUDGES)
    assert "judges" in answers(page)[-1]
    page.get_by_label("mechanism (1)").uncheck()
    page.get_by_label("article (1)").check()
    ask(page, JUDGES)
    assert "judges sit" not in answers(page)[-1].lower()


def test_an_answer_is_copied_and_a_conversation_saved(visit: Open, tmp_path: Path) -> None:
    page = visit(permissions=["clipboard-read", "clipboard-write"]).page
    ask(page, OFTEN)
    page.get_by_role("button", name="Copy with footnotes").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("() => navigator.clipboard.readText()")
    assert OFTEN_ANSWER in copied
    assert re.search(r"\[1\] “.*” — The assembly of the islands", copied)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as Markdown").click()
    assert download.value.suggested_filename == "conversation.md"
    download.value.save_as(tmp_path / "saved.md")
    saved = (tmp_path / "saved.md").read_text(encoding="utf-8")
    assert f"## {OFTEN}" in saved
    assert "<https://islands.example/assembly>" in saved


@pytest.mark.parametrize("path", ["/", "/documents", "/documents/none"])
def test_nothing_is_wider_than_a_phone(visit: Open, path: str) -> None:
    page = visit(path, viewport={"width": 360, "height": 740}, has_touch=True).page
    if path == "/":
        ask(page, OFTEN)
        assert wide(page) <= 360
        page.get_by_role("button", name="Source 1", exact=True).first.tap()
        expect(panel(page).locator("mark")).to_be_visible()
        box = panel(page).bounding_box()
        assert box is not None
        assert box["width"] == 360
        page.get_by_role("button", name="Close").tap()
        expect(panel(page)).to_be_hidden()
    assert wide(page) <= 360


def wide(page: Page) -> int:
    return page.evaluate("() => document.documentElement.scrollWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_breaks_an_accessibility_rule(
    visit: Open, assistant: Assistant, scheme: str
) -> None:
    # The checker is put into the page from outside, which the page's own policy forbids.
    opened = visit(color_scheme=scheme, bypass_csp=True)
    page = opened.page
    ask(page, OFTEN)
    violations = {"chat": Axe().run(page).response["violations"]}
    page.get_by_role("button", name="Source 1", exact=True).first.click()
    expect(panel(page).locator("mark")).to_be_visible()
    violations["panel"] = Axe().run(page).response["violations"]
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="Library").click()
    expect(page.locator("#shelf")).to_be_visible()
    violations["library"] = Axe().run(page).response["violations"]
    identity, start, end = passage_with(assistant, JUDGES_ANSWER)
    for path in (f"/passages/{identity}?start={start}&end={end}", "/documents"):
        page.goto(opened.requests[0].rstrip("/") + path)
        violations[path] = Axe().run(page).response["violations"]
    assert {where: [each["id"] for each in found] for where, found in violations.items()} == {
        where: [] for where in violations
    }


def test_targets_are_large_enough(visit: Open) -> None:
    page = visit().page
    ask(page, OFTEN)
    for target in page.locator(
        "#chat-log a, #chat-log button, #asking button, #keeping button"
    ).all():
        if not target.is_visible():
            continue
        box = target.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 24, target.evaluate("node => node.outerHTML")


@pytest.mark.skipif(
    "RAPPORTEUR_SCREENSHOT" not in os.environ,
    reason="set RAPPORTEUR_SCREENSHOT=FILE.png to take README's picture",
)
def test_take_the_picture_of_the_readme(visit: Open, shipped_address: str) -> None:
    page = visit().page
    page.goto(shipped_address)
    ask(page, "How does the Universal Periodic Review work?")
    page.get_by_role("button", name="Source 1", exact=True).first.click()
    expect(panel(page).locator("mark")).to_be_visible()
    page.screenshot(path=os.environ["RAPPORTEUR_SCREENSHOT"])
