"""Written answers in a real browser: what is marked, what can be chosen, what replaces what."""

import re
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from model_server import ModelServer
from playwright.sync_api import Page, expect
from web_fixtures import serving
from web_material import Visit
from written_material import IMPATIENT, KEY

from assistant.chain import Assistant
from assistant.models import load_chat_model
from assistant.settings import Settings
from assistant.support import SupportCheck
from assistant.writing import Writer
from index.embeddings import Embedder
from index.reader import IndexReader

pytest_plugins = ("web_fixtures", "browser_fixtures", "written_fixtures")

WHO = "Who takes part in the Lantern Review?"
QUOTED = "Harbour unions, which act as watchdogs"
MARK = "(⚠ not supported by the quoted passage)"

Open = Callable[..., Visit]


@pytest.fixture(scope="session")
def chat_address(
    model: ModelServer, written_reader: IndexReader, embedder: Embedder, support: SupportCheck
) -> Iterator[str]:
    """Address of a chat that writes."""
    chat = load_chat_model("openai:test", base_url=model.url, api_key=KEY, limits=IMPATIENT)
    assistant = Assistant(written_reader, embedder, writer=Writer(model=chat, check=support))
    with serving(assistant, Settings()) as address:
        yield address


def ask(page: Page, question: str) -> None:
    rows = page.locator("#chat-log .user-row")
    before = rows.count()
    page.get_by_label("Your question").fill(question)
    page.keyboard.press("Enter")
    expect(rows).to_have_count(before + 1)
    expect(page.locator("#status")).to_contain_text("The answer is ready.")
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible()


def test_an_unsupported_sentence_is_marked_on_the_page(visit: Open, model: ModelServer) -> None:
    model.mode = "add a claim"
    opened = visit(color_scheme="light", bypass_csp=True)
    page = opened.page
    expect(page.locator("#introduction")).to_contain_text("written by a language model")
    ask(page, WHO)
    row = page.locator("#chat-log .bot-row")
    expect(row).to_contain_text(f"in 1871. {MARK}")
    assert row.get_by_text(MARK, exact=True).count() == 1
    expect(row).to_contain_text("Written by the chat model openai:test")
    expect(row).to_contain_text(re.compile(r"(\d) of (?!\1)\d sentences supported"))
    row.get_by_role("button", name="Source 1", exact=True).first.click()
    expect(page.locator("#source-panel mark")).to_be_visible()
    page.keyboard.press("Escape")
    assert Axe().run(page).response["violations"] == []
    outside = [url for url in opened.requests if not url.startswith(("http://127.0.0.1", "data:"))]
    assert outside == []


def test_the_visitor_chooses_exact_quotations_at_any_time(visit: Open, model: ModelServer) -> None:
    model.mode = "honest"
    page = visit().page
    ask(page, WHO)
    expect(page.locator("#chat-log .bot-row").last).to_contain_text("Written by the chat model")
    calls = model.calls
    page.get_by_label("Only exact quotations").check()
    ask(page, WHO)
    last = page.locator("#chat-log .bot-row").last
    expect(last).to_contain_text(QUOTED)
    expect(last).not_to_contain_text("Written by the chat model")
    assert model.calls == calls
    page.get_by_label("Only exact quotations").uncheck()
    ask(page, WHO)
    expect(page.locator("#chat-log .bot-row").last).to_contain_text("Written by the chat model")


def test_how_a_follow_up_was_understood_is_shown_on_request(
    visit: Open, model: ModelServer
) -> None:
    model.mode, model.rewritten = "honest", "How often is each island examined?"
    page = visit().page
    ask(page, WHO)
    expect(page.locator("#chat-log details")).to_have_count(0)
    ask(page, "And how often does it happen?")
    details = page.locator("#chat-log details")
    expect(details).to_have_js_property("open", False)
    page.get_by_text("How the question was understood").click()
    expect(details).to_have_js_property("open", True)
    expect(details).to_contain_text("How often is each island examined?")


@pytest.mark.parametrize("mode", ["cut", "stall amid", "401", "obey", "images", "html"])
def test_no_failure_leaves_the_page_without_an_answer(
    visit: Open, model: ModelServer, mode: str
) -> None:
    model.mode = mode
    opened = visit()
    ask(opened.page, WHO)
    row = opened.page.locator("#chat-log .bot-row")
    expect(row).to_contain_text(re.compile(r"\d of \d sentences supported"))
    if mode in ("cut", "stall amid", "401"):
        expect(row).to_contain_text("made of exact quotations instead")
        expect(row).to_contain_text(QUOTED)
    assert row.locator("img, form, script").count() == 0
    assert "sk-" not in opened.page.content()
    assert not [url for url in opened.requests if "evil" in url]
