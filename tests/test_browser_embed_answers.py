"""What the widget shows of an answer, in a real browser: sources, doubts, failures, languages."""

import json
import re
import sqlite3
from collections.abc import Callable

import pytest
from embed_material import Neighbourhood, ask, opened
from playwright.sync_api import Page, Route, expect
from web_material import HOSTILE_TITLE, Visit

from assistant.web.strings import LANGUAGES, strings

pytest_plugins = ("web_fixtures", "browser_fixtures", "embed_fixtures")

OFTEN = "How often does the assembly of the islands meet?"
OFTEN_ANSWER = "three times a year"
JUDGES = "Who sits on the harbour tribunal?"
CallOn = Callable[..., Visit]


@pytest.fixture
def page(call_on: CallOn, neighbourhood: Neighbourhood) -> Page:
    """The widget's own page, narrow as it is in a partner's."""
    return narrow(call_on, neighbourhood.frame()).page


def narrow(call_on: CallOn, address: str, **options: object) -> Visit:
    return call_on(address, viewport={"width": 400, "height": 640}, **options)


def last(page: Page):
    return page.locator("article").last


def test_a_marker_leads_to_the_sentence_in_its_passage(page: Page) -> None:
    ask(page, OFTEN)
    page.get_by_role("button", name="Source 1: The assembly of the islands").first.click()
    source = page.locator("#source")
    expect(source.locator("mark")).to_have_text(
        "The assembly of the islands meets three times a year."
    )
    for shown in (
        "The assembly of the islands",
        "How often it meets",
        "institution · Islands Press · 2021-05-04",
        "Retold in the project's own words.",
        "Each session of the assembly lasts four weeks.",
    ):
        expect(source).to_contain_text(shown)
    original = source.get_by_role("link", name="Read the original")
    assert original.get_attribute("href") == "https://islands.example/assembly"
    with page.expect_popup() as window:
        source.get_by_role("link", name="Open in the library").click()
    marked = window.value
    expect(marked.locator("mark")).to_have_text(
        "The assembly of the islands meets three times a year."
    )
    assert marked.evaluate("() => window.opener") is None
    page.get_by_role("button", name="Back to the answer").click()
    expect(source).to_be_hidden()


def test_beyond_the_common_characters_the_quoted_words_are_still_the_right_ones(
    page: Page,
) -> None:
    ask(page, "What do the harbour pilots call the brightest star of autumn?")
    page.get_by_role("button", name=re.compile("^Source 1")).first.click()
    expect(page.locator("mark")).to_have_text(
        re.compile("The harbour pilots call the brightest star of autumn Lantern.")
    )
    expect(page.locator("mark")).not_to_contain_text("They steer")
    expect(page.locator("#source .text")).to_contain_text("They steer by it.")


def test_an_answer_shows_its_proof_and_what_its_sources_are(page: Page) -> None:
    ask(page, OFTEN)
    expect(last(page)).to_contain_text(re.compile(r"Quotations found word for word: (\d) of \1"))
    expect(last(page)).to_contain_text(re.compile(r"Sentences supported: (\d) of \1"))
    expect(last(page).locator(".sources")).to_contain_text("Islands Press · 2021-05-04")


def test_foreign_words_stay_words(call_on: CallOn, neighbourhood: Neighbourhood) -> None:
    visit = narrow(call_on, neighbourhood.frame())
    page = visit.page
    ask(page, "What must lanterns on the quay burn?")
    expect(last(page)).to_contain_text(HOSTILE_TITLE)
    expect(last(page)).to_contain_text("This article declares itself AI-generated.")
    page.get_by_role("button", name=re.compile("^Source 1")).first.click()
    expect(page.locator("#source h2")).to_have_text(HOSTILE_TITLE)
    assert page.locator("img").count() == 0
    hrefs = page.eval_on_selector_all("#source a", "all => all.map((a) => a.pathname)")
    assert hrefs
    assert all(path.startswith("/passages/") for path in hrefs)
    assert [url for url in visit.requests if not url.startswith(neighbourhood.assistant)] == []
    assert visit.complaints == []


def test_what_a_model_wrote_is_marked_where_no_source_says_it(
    call_on: CallOn, neighbourhood: Neighbourhood
) -> None:
    page = narrow(call_on, neighbourhood.frame("pub_harbour")).page
    ask(page, JUDGES)
    expect(last(page)).to_contain_text("Written by a language model")
    doubted = last(page).locator(".unsure")
    assert re.sub(r"\s+", " ", " ".join(doubted.all_inner_texts())) == (
        "It is the best of all tribunals."
    )
    expect(last(page).locator("p", has=page.locator(".unsure"))).to_contain_text(
        "Not supported by the quoted passage"
    )
    expect(last(page)).to_contain_text("Sentences supported: 1 of 2")
    expect(last(page)).to_contain_text("Sources differ: number of judges")
    page.get_by_label("Only exact quotations").check()
    ask(page, JUDGES)
    expect(last(page)).to_contain_text("Seven judges sit on the harbour tribunal.")
    expect(last(page)).not_to_contain_text("Written by a language model")
    expect(last(page).locator(".unsure")).to_have_count(0)


def test_a_refusal_offers_what_is_closest(page: Page) -> None:
    ask(page, "What is the boiling point of tungsten?")
    expect(last(page)).to_contain_text("No answer in the library")
    expect(last(page).locator(".marker")).to_have_count(0)
    nearest = last(page).locator(".chips button").first
    title = nearest.inner_text().split(" › ")[0]
    nearest.click()
    expect(page.locator("#source h2")).to_have_text(title)
    expect(page.locator("#source h2")).to_be_focused()
    page.keyboard.press("Escape")
    expect(nearest).to_be_focused()


def test_starters_follow_ups_and_a_new_conversation(page: Page) -> None:
    expect(page.locator("#start")).to_contain_text("Ask about the islands.")
    page.get_by_role("button", name=OFTEN).click()
    expect(last(page)).to_contain_text(OFTEN_ANSWER)
    expect(page.locator("#start")).to_be_hidden()
    offered = last(page).locator(".latest .chips button").first
    words = offered.inner_text()
    offered.click()
    expect(page.locator("article")).to_have_count(2)
    expect(last(page).get_by_role("heading", level=2)).to_contain_text(words)
    expect(last(page).locator(".actions")).to_be_visible()
    expect(page.locator("article").first.locator(".latest")).to_have_count(0)
    page.get_by_role("button", name="New conversation").click()
    expect(page.locator("article")).to_have_count(0)
    expect(page.locator("#start")).to_be_visible()


def test_a_follow_up_is_asked_with_what_was_said_before(page: Page) -> None:
    ask(page, OFTEN)
    with page.expect_request("**/embed/v1/ask") as asked:
        ask(page, "And how long does each session last?")
    sent = json.loads(asked.value.post_data or "")
    assert [turn["role"] for turn in sent["history"]] == ["user", "assistant"]
    assert sent["history"][0]["content"] == OFTEN
    expect(last(page)).to_contain_text("lasts four weeks")
    page.get_by_role("button", name="New conversation").click()
    with page.expect_request("**/embed/v1/ask") as asked:
        ask(page, JUDGES)
    assert json.loads(asked.value.post_data or "")["history"] == []


def test_stop_and_retry(page: Page) -> None:
    box = page.get_by_label("Your question")
    box.fill(f"{OFTEN} slowly")
    box.press("Enter")
    stop = page.get_by_role("button", name="Stop")
    expect(stop).to_be_visible()
    expect(last(page)).to_contain_text(OFTEN_ANSWER)
    box.fill("What comes next")
    box.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("An answer is being written.")
    stop.click()
    expect(last(page)).to_contain_text("Stopped before the answer was complete.")
    expect(last(page)).to_contain_text(OFTEN_ANSWER)
    expect(box).to_have_value("What comes next")
    ask(page, JUDGES)
    last(page).get_by_role("button", name="Try again").click()
    expect(page.locator("article")).to_have_count(2)
    expect(last(page)).to_contain_text("Seven judges")
    expect(last(page).locator(".actions")).to_be_visible()


@pytest.mark.parametrize("words", ["fail now", "fail amid"])
def test_a_failure_is_a_polite_sentence_with_a_way_on(page: Page, words: str) -> None:
    ask(page, f"{OFTEN} {words}")
    expect(last(page)).to_contain_text("Something went wrong. Please try again.")
    expect(last(page).get_by_role("button", name="Try again")).to_be_visible()
    assert "sk-FAKE" not in page.content()


def test_a_stream_that_breaks_off_is_told_apart_from_an_answer(page: Page) -> None:
    def cut(route: Route) -> None:
        body = 'event: delta\ndata: {"text": "The assembly meets"}\n\nevent: done\ndata: {"ans'
        route.fulfill(status=200, content_type="text/event-stream", body=body)

    page.route("**/embed/v1/ask", cut)
    ask(page, OFTEN)
    expect(last(page)).to_contain_text("The assembly meets")
    expect(last(page)).to_contain_text("The answer broke off before it was complete.")
    page.unroute("**/embed/v1/ask")
    last(page).get_by_role("button", name="Try again").click()
    expect(last(page)).to_contain_text(OFTEN_ANSWER)


def test_without_a_network_it_says_so(page: Page) -> None:
    page.context.set_offline(True)
    ask(page, OFTEN)
    expect(last(page)).to_contain_text("The connection failed.")
    page.context.set_offline(False)
    last(page).get_by_role("button", name="Try again").click()
    expect(last(page)).to_contain_text(OFTEN_ANSWER)


def test_an_expired_token_is_renewed_once(page: Page) -> None:
    tokens: list[str] = []

    def expired(route: Route) -> None:
        tokens.append(route.request.headers["authorization"])
        if len(tokens) % 2:
            route.fulfill(status=401, json={"error": "token_expired", "message": "", "hint": ""})
        else:
            route.continue_()

    page.route("**/embed/v1/ask", expired)
    with page.expect_response("**/embed/v1/session") as renewed:
        ask(page, OFTEN)
    assert renewed.value.status == 200
    expect(last(page)).to_contain_text(OFTEN_ANSWER)
    assert len(tokens) == 2
    page.unroute("**/embed/v1/ask")
    page.route("**/embed/v1/ask", lambda route: route.fulfill(status=401, json={}))
    ask(page, OFTEN)
    expect(last(page)).to_contain_text("This chat has expired.")


def test_too_many_questions_are_told_with_the_time_to_wait(
    call_on: CallOn, neighbourhood: Neighbourhood
) -> None:
    page = narrow(call_on, neighbourhood.frame("pub_small")).page
    ask(page, OFTEN)
    ask(page, OFTEN)
    expect(last(page)).to_contain_text(
        re.compile(r"Too many questions have been asked. Please try again in \d+ seconds?\.")
    )


def test_an_answer_is_copied_with_its_footnotes(
    call_on: CallOn, neighbourhood: Neighbourhood
) -> None:
    allowed = ["clipboard-read", "clipboard-write"]
    visit = call_on(neighbourhood.partner.page(neighbourhood.widget()), permissions=allowed)
    frame = opened(visit.page)
    ask(frame, OFTEN)
    frame.get_by_role("button", name="Copy with footnotes").click()
    expect(frame.get_by_role("button", name="Copied")).to_be_visible()
    visit.page.get_by_role("heading").click()
    copied = visit.page.evaluate("() => navigator.clipboard.readText()")
    assert OFTEN_ANSWER in copied
    assert re.search(
        r"\[1\] “.*” — The assembly of the islands › How often it meets · institution · "
        rf"Islands Press · 2021-05-04 · .* {neighbourhood.assistant}/passages/\S+",
        copied,
    )


def test_a_rating_is_kept_with_its_reason_and_without_the_question(
    page: Page, neighbourhood: Neighbourhood
) -> None:
    ask(page, OFTEN)
    with page.expect_response("**/embed/v1/feedback") as kept:
        last(page).get_by_role("button", name="Poor answer").click()
    assert kept.value.status == 204
    with page.expect_response("**/embed/v1/feedback") as kept:
        page.get_by_role("button", name="Something is missing").click()
    expect(last(page).get_by_role("button", name="Poor answer")).to_have_attribute(
        "aria-pressed", "true"
    )
    expect(page.get_by_role("status")).to_have_text("Thank you.")
    sent = json.loads(kept.value.request.post_data or "")
    assert OFTEN not in json.dumps(sent)
    with sqlite3.connect(neighbourhood.ratings) as database:
        rows = database.execute(
            "select rating, reason from ratings where id = ?", (sent["id"],)
        ).fetchall()
    assert rows == [("poor", "incomplete")]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_it_speaks_the_language_of_the_page(
    call_on: CallOn, neighbourhood: Neighbourhood, lang: str
) -> None:
    words = strings(lang)
    visit = call_on(neighbourhood.partner.page(neighbourhood.widget(lang=lang)))
    visit.page.locator("rapporteur-chat button").click()
    frame = visit.page.frame_locator("rapporteur-chat iframe")
    expect(frame.locator("html")).to_have_attribute("lang", lang)
    expect(frame.get_by_label(words["question"])).to_be_visible()
    frame.get_by_label(words["question"]).fill(OFTEN)
    frame.get_by_role("button", name=words["send"], exact=True).click()
    expect(frame.get_by_role("status")).to_contain_text(words["ready"])
    expect(frame.locator("article")).to_contain_text(OFTEN_ANSWER)
    expect(frame.locator("article")).to_contain_text(words["copy"])
    assert visit.complaints == []


def test_from_right_to_left_quotes_and_numbers_keep_their_direction(
    call_on: CallOn, neighbourhood: Neighbourhood
) -> None:
    page = narrow(call_on, neighbourhood.frame(lang="ar")).page
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    words = strings("ar")
    page.get_by_label(words["question"]).fill(OFTEN)
    page.get_by_label(words["question"]).press("Enter")
    expect(page.get_by_role("status")).to_contain_text(words["ready"])
    direction = "node => getComputedStyle(node).direction"
    assert page.locator("article .text p").first.evaluate(direction) == "ltr"
    assert page.locator("article .proof").evaluate(direction) == "rtl"
    page.locator(".marker").first.click()
    assert page.locator("#source .text p").first.evaluate(direction) == "ltr"
    # Among Arabic letters a bare date would be shown with its parts turned around.
    left = """node => { const date = node.firstChild, at = date.data.indexOf("2021");
      const range = document.createRange();
      return [at, at + 5, at + 8].map((start) => { range.setStart(date, start);
        range.setEnd(date, start + 1); return range.getBoundingClientRect().left; }); }"""
    year, month, day = page.locator("#source p.small").evaluate(left)
    assert year < month < day
