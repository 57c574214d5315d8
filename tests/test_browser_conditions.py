"""The widget where conditions are hard: another language, a slow link, forced colours, no mouse."""

import re
import sqlite3
from collections.abc import Callable

import pytest
from embed_material import Neighbourhood, ask, frame_of, opened
from playwright.sync_api import Locator, Page, Route, expect
from web_material import Visit

from assistant.web.strings import strings

pytest_plugins = ("web_fixtures", "browser_fixtures", "embed_fixtures")

OFTEN = "How often does the assembly of the islands meet?"

CallOn = Callable[..., Visit]

NARROW = {"viewport": {"width": 400, "height": 640}}


def tab_to(page: Page, goal: Locator) -> None:
    """Press Tab until `goal` has the focus."""
    for _ in range(40):
        if goal.evaluate("node => node === document.activeElement"):
            return
        page.keyboard.press("Tab")
    expect(goal).to_be_focused()


def held(page: Page, address: str) -> list[Route]:
    """Requests for an address, which from now on wait."""
    waiting: list[Route] = []

    def hold(route: Route) -> None:
        waiting.append(route)

    page.route(address, hold)
    return waiting


def let_go(page: Page, waiting: list[Route]) -> None:
    """Let the first one go, as soon as it has been made."""
    while not waiting:
        page.wait_for_timeout(20)
    waiting.pop().continue_()


# --- another language -----------------------------------------------------------------------


def test_a_visitor_changes_the_language_within_the_frame(
    call_on: CallOn, neighbourhood: Neighbourhood
) -> None:
    html = neighbourhood.widget('site="pub_islands" theme="dark"', lang="en")
    visit = call_on(neighbourhood.partner.page(html))
    frame = opened(visit.page)
    offered = frame.get_by_role("navigation", name="Language").get_by_role("link")
    expect(offered).to_have_text(["Français", "Español", "العربية", "Русский", "中文"])
    offered.nth(2).click()
    words = strings("ar")
    expect(frame.locator("html")).to_have_attribute("lang", "ar")
    expect(frame.locator("html")).to_have_attribute("dir", "rtl")
    expect(frame.locator("html")).to_have_attribute("data-theme", "dark")
    expect(frame.get_by_label(words["question"])).to_be_focused()
    frame.get_by_label(words["question"]).fill(OFTEN)
    frame.get_by_label(words["question"]).press("Enter")
    expect(frame.locator("article")).to_contain_text("three times a year")
    expect(frame.locator("article")).to_contain_text(words["copy"])
    # What would take the conversation away is not offered while there is one.
    expect(frame.get_by_role("navigation")).to_be_hidden()
    # The page around is still heard, and the frame can still be closed.
    frame.get_by_role("button", name=words["close"]).click()
    expect(visit.page.locator("rapporteur-chat iframe")).to_be_hidden()
    assert visit.page.context.cookies() == []
    assert visit.complaints == []


def test_in_a_plain_frame_the_language_changes_too(
    call_on: CallOn, neighbourhood: Neighbourhood
) -> None:
    html = f'<!doctype html><title>-</title><iframe title="Chat" src="{neighbourhood.frame()}">'
    page = call_on(neighbourhood.partner.page(html)).page
    frame = page.frame_locator("iframe")
    frame.get_by_role("link", name="Français").click()
    frame.get_by_label(strings("fr")["question"]).fill(OFTEN)
    frame.get_by_label(strings("fr")["question"]).press("Enter")
    expect(frame.locator("article")).to_contain_text("three times a year")


# --- a slow link ------------------------------------------------------------------------------


def test_while_it_is_on_its_way_there_is_something_to_see(
    call_on: CallOn, neighbourhood: Neighbourhood
) -> None:
    page = call_on(neighbourhood.partner.page(neighbourhood.widget())).page
    page_held = held(page, "**/embed/v1/frame?*")
    page.get_by_role("button", name="Ask a question").click()
    expect(page.locator("rapporteur-chat iframe")).to_be_visible()
    sign = "node => getComputedStyle(node.parentNode, '::before').content"
    assert "…" in page.locator("rapporteur-chat iframe").evaluate(sign)
    # Then its words, before its script is there.
    script_held = held(page, "**/embed/v1/frame-*.js")
    let_go(page, page_held)
    frame = frame_of(page)
    expect(frame.get_by_role("heading", name="Islands assistant")).to_be_visible()
    expect(frame.get_by_text("Ask about the islands.")).to_be_visible()
    expect(frame.get_by_label("Your question")).to_be_visible()
    expect(frame.get_by_role("link", name="Français")).to_be_visible()
    # Without it nothing can be sent, and what is typed stays.
    send = frame.locator("#send")
    expect(send).to_be_disabled()
    let_go(page, script_held)
    expect(send).to_be_enabled()
    ask(frame, OFTEN)
    expect(frame.locator("article")).to_contain_text("three times a year")


# --- forced colours, reduced motion -----------------------------------------------------------


def test_with_forced_colours_a_rating_and_notices_are_still_seen(
    call_on: CallOn, neighbourhood: Neighbourhood
) -> None:
    page = call_on(neighbourhood.frame(), forced_colors="active", **NARROW).page
    ask(page, "What must lanterns on the quay burn?")
    good, poor = (page.get_by_role("button", name=f"{name} answer") for name in ("Good", "Poor"))
    good.click()
    fill = "node => getComputedStyle(node.querySelector('svg')).fill"
    assert good.evaluate(fill) != "none"
    assert poor.evaluate(fill) == "none"
    page.get_by_role("button", name=re.compile("^Source 1")).first.click()
    for shown in (page.locator("#source .notice").first, page.locator(".you").first):
        edge = shown.evaluate(
            "node => { const { borderTopColor: line, borderTopWidth } = getComputedStyle(node);"
            " return [borderTopWidth, line]; }"
        )
        assert edge[0] == "1px"
        assert not re.search(r"rgba\(.*, 0\)", edge[1])
    expect(page.locator("mark")).to_be_visible()


@pytest.mark.parametrize(("motion", "moves"), [("reduce", "none"), ("no-preference", "wait")])
def test_nothing_moves_where_that_is_not_wanted(
    call_on: CallOn, neighbourhood: Neighbourhood, motion: str, moves: str
) -> None:
    page = call_on(neighbourhood.frame(), reduced_motion=motion, **NARROW).page
    answer_held = held(page, "**/embed/v1/ask")
    page.get_by_label("Your question").fill(OFTEN)
    page.get_by_label("Your question").press("Enter")
    waiting = page.locator("article .wait")
    expect(waiting).to_be_visible()
    assert waiting.evaluate("node => getComputedStyle(node).animationName") == moves
    let_go(page, answer_held)
    expect(page.locator("article")).to_contain_text("three times a year")
    assert page.evaluate("() => document.getAnimations().length") == 0


# --- ratings without a mouse ------------------------------------------------------------------


def test_a_rating_and_its_reason_are_given_by_keyboard_and_told(
    call_on: CallOn, neighbourhood: Neighbourhood
) -> None:
    page = call_on(neighbourhood.frame(), **NARROW).page
    ask(page, OFTEN)
    poor = page.get_by_role("button", name="Poor answer")
    page.get_by_role("log").focus()
    tab_to(page, poor)
    with page.expect_response("**/embed/v1/feedback") as kept:
        page.keyboard.press("Enter")
    expect(poor).to_have_attribute("aria-pressed", "true")
    # Who can't see the reasons that have appeared is told of them; they come next.
    expect(page.get_by_role("status")).to_have_text("Thank you. What was wrong with it?")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="It is wrong")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    with page.expect_response("**/embed/v1/feedback") as kept:
        page.keyboard.press("Space")
    expect(poor).to_be_focused()
    expect(page.get_by_role("button", name="It is wrong")).to_be_hidden()
    expect(page.get_by_role("status")).to_have_text("Thank you.")
    sent = kept.value.request.post_data_json
    with sqlite3.connect(neighbourhood.ratings) as database:
        rows = database.execute(
            "select site, rating, reason, documents from ratings where id = ?", (sent["id"],)
        ).fetchall()
    assert [row[:3] for row in rows] == [("pub_islands", "poor", "incomplete")]
    assert len(sent["documents"]) >= 1


def test_a_rating_that_could_not_be_kept_says_so_to_everybody(
    call_on: CallOn, neighbourhood: Neighbourhood
) -> None:
    page = call_on(neighbourhood.frame(), **NARROW).page
    ask(page, OFTEN)
    page.route("**/embed/v1/feedback", lambda route: route.abort())
    page.get_by_role("button", name="Good answer").click()
    expect(page.locator("article .notice", has_text="The connection failed.")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("The connection failed.")
