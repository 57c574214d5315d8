"""The widget in a partner's page, in a real browser: who gets it, what it needs, what it tells."""

import os
import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from embed_material import Neighbourhood, ask, frame_of, opened
from playwright.sync_api import Page, expect
from web_material import Visit

pytest_plugins = ("web_fixtures", "browser_fixtures", "embed_fixtures")

OFTEN = "How often does the assembly of the islands meet?"
OFTEN_ANSWER = "three times a year"

CallOn = Callable[..., Visit]

NOTED = """
window.heard = [];
for (const type of ["ready", "open", "close", "error"]) {
  addEventListener(`rapporteur-chat:${type}`, (event) => {
    const said = Object.keys(event).filter((key) => key !== "isTrusted");
    heard.push([type, said, event.detail ?? null]);
  });
}
window.messages = [];
addEventListener("message", ({ data, origin }) => messages.push({ data, origin }));
"""

NO_STORAGE = """
for (const name of ["localStorage", "sessionStorage", "indexedDB", "caches"]) {
  Object.defineProperty(window, name, { get() { throw new DOMException("blocked", "SecurityError"); } });
}
Object.defineProperty(Document.prototype, "cookie", {
  get() { throw new DOMException("blocked", "SecurityError"); },
  set() { throw new DOMException("blocked", "SecurityError"); },
});
"""  # noqa: E501 - lines of script

STORED = """async () => [document.cookie, localStorage.length, sessionStorage.length,
  (await indexedDB.databases()).length, (await caches.keys()).length]"""

# From the page's own words for "active", through shadow roots.
FOCUSED = """() => {
  let at = document.activeElement;
  while (at.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  return at.localName;
}"""


def heard(page: Page) -> list[str]:
    """The names of the widget's events so far, none of which may say anything."""
    events = page.evaluate("() => heard")
    assert all(keys == [] and detail is None for _, keys, detail in events)
    return [name for name, _, _ in events]


def test_under_a_strict_policy_it_answers_and_asks_no_other_host(
    call_on: CallOn, neighbourhood: Neighbourhood
) -> None:
    address = neighbourhood.partner.page(neighbourhood.widget(), neighbourhood.strict)
    visit = call_on(address)
    page = visit.page
    expect(page.get_by_role("button", name="Ask a question")).to_be_visible()
    assert visit.requests == [address, f"{neighbourhood.assistant}/embed/v1/loader.js"]
    frame = opened(page)
    ask(frame, OFTEN)
    expect(frame.locator("article")).to_contain_text(OFTEN_ANSWER)
    frame.get_by_role("button", name="Source 1: The assembly").first.click()
    expect(frame.locator("mark")).to_contain_text(OFTEN_ANSWER)
    assert all(url.startswith(neighbourhood.assistant) for url in visit.requests[1:])
    assert visit.complaints == []
    assert visit.page.context.cookies() == []
    assert page.evaluate(STORED) == ["", 0, 0, 0, 0]


def test_nothing_is_kept_in_its_own_page_either(
    call_on: CallOn, neighbourhood: Neighbourhood
) -> None:
    visit = call_on(neighbourhood.frame())
    ask(visit.page, OFTEN)
    expect(visit.page.locator("article")).to_contain_text(OFTEN_ANSWER)
    assert visit.page.evaluate(STORED) == ["", 0, 0, 0, 0]
    assert visit.complaints == []


def test_it_works_where_storage_is_blocked(call_on: CallOn, neighbourhood: Neighbourhood) -> None:
    visit = call_on(neighbourhood.partner.page(neighbourhood.widget()), before=NO_STORAGE)
    frame = opened(visit.page)
    ask(frame, OFTEN)
    expect(frame.locator("article")).to_contain_text(OFTEN_ANSWER)
    assert [said for said in visit.complaints if "favicon" not in said] == []


def test_it_works_in_an_isolated_page(call_on: CallOn, neighbourhood: Neighbourhood) -> None:
    isolated = {
        "Cross-Origin-Embedder-Policy": "require-corp",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
    visit = call_on(neighbourhood.partner.page(neighbourhood.widget(), isolated))
    assert visit.page.evaluate("() => crossOriginIsolated")
    frame = opened(visit.page)
    ask(frame, OFTEN)
    expect(frame.locator("article")).to_contain_text(OFTEN_ANSWER)


def test_a_plain_frame_works_without_scripts_and_tells_its_surroundings_nothing(
    call_on: CallOn, neighbourhood: Neighbourhood
) -> None:
    html = f'<!doctype html><title>-</title><iframe title="Chat" src="{neighbourhood.frame()}">'
    strict = {"Content-Security-Policy": f"default-src 'none'; frame-src {neighbourhood.assistant}"}
    visit = call_on(neighbourhood.partner.page(html, strict), before=NOTED)
    frame = visit.page.frame_locator("iframe")
    ask(frame, OFTEN)
    expect(frame.locator("article")).to_contain_text(OFTEN_ANSWER)
    expect(frame.get_by_role("button", name="Close chat")).to_be_hidden()
    frame.get_by_label("Your question").press("Escape")
    assert visit.page.evaluate("() => messages") == []


def test_another_origin_gets_a_sentence_and_a_link_but_no_chat(
    call_on: CallOn, neighbourhood: Neighbourhood
) -> None:
    visit = call_on(neighbourhood.other.page(neighbourhood.widget()), before=NOTED)
    visit.page.get_by_role("button", name="Ask a question").click()
    link = visit.page.get_by_role("link", name="The chat can’t be shown here.")
    expect(link).to_be_visible()
    assert link.get_attribute("href") == f"{neighbourhood.assistant}/chat/"
    expect(visit.page.locator("rapporteur-chat iframe")).to_have_count(0)
    assert heard(visit.page) == ["open", "error"]
    assert visit.page.evaluate("() => messages") == []
    # A second try is a new one.
    visit.page.get_by_role("button", name="Close chat").click()
    visit.page.get_by_role("button", name="Ask a question").click()
    expect(visit.page.locator("rapporteur-chat iframe")).to_have_count(1)


@pytest.mark.parametrize(
    "call",
    [
        "fetch(HOST + '/embed/v1/frame?site=pub_islands')",
        "fetch(HOST + '/embed/v1/ask', {method: 'POST', body: '{\"question\": \"x\"}',"
        " headers: {'Content-Type': 'application/json', Authorization: 'Bearer x'}})",
        "fetch(HOST + '/api/ask', {method: 'POST', body: '{\"question\": \"x\"}',"
        " headers: {'Content-Type': 'text/plain'}})",
        "fetch(HOST + '/embed/v1/session', {method: 'POST'})",
        "fetch(HOST + '/api/documents')",
    ],
)
@pytest.mark.parametrize("whose", ["partner", "other"])
def test_no_page_can_read_what_the_assistant_says(
    call_on: CallOn, neighbourhood: Neighbourhood, whose: str, call: str
) -> None:
    visit = call_on(getattr(neighbourhood, whose).page("<!doctype html><title>-</title>"))
    script = f"() => {call}.then(() => 'read', (error) => error.name)"
    assert visit.page.evaluate(script.replace("HOST", repr(neighbourhood.assistant))) == "TypeError"


def test_the_page_around_cannot_look_in(call_on: CallOn, neighbourhood: Neighbourhood) -> None:
    visit = call_on(neighbourhood.partner.page(neighbourhood.widget()), before=NOTED)
    frame = opened(visit.page)
    ask(frame, OFTEN)
    seen = visit.page.evaluate(
        "() => { const inner = document.querySelector('rapporteur-chat').shadowRoot"
        ".querySelector('iframe'); return [inner.contentDocument, inner.src]; }"
    )
    assert seen[0] is None
    assert "assembly" not in seen[1]
    told = visit.page.evaluate("() => messages")
    assert told == [{"data": {"rc": 1, "type": "ready"}, "origin": neighbourhood.assistant}]


def test_its_events_say_only_that_it_opened_and_closed(
    call_on: CallOn, neighbourhood: Neighbourhood
) -> None:
    visit = call_on(neighbourhood.partner.page(neighbourhood.widget()), before=NOTED)
    page = visit.page
    frame = opened(page)
    ask(frame, OFTEN)
    frame.get_by_role("button", name="Close chat").click()
    expect(page.locator("rapporteur-chat iframe")).to_be_hidden()
    page.evaluate("() => document.querySelector('rapporteur-chat').open()")
    expect(frame.locator("article")).to_contain_text(OFTEN_ANSWER)
    page.evaluate("() => document.querySelector('rapporteur-chat').close()")
    expect(page.locator("rapporteur-chat iframe")).to_be_hidden()
    assert heard(page) == ["open", "ready", "close", "open", "close"]


def test_messages_from_elsewhere_change_nothing(
    call_on: CallOn, neighbourhood: Neighbourhood
) -> None:
    visit = call_on(
        neighbourhood.partner.page(neighbourhood.widget('site="pub_islands" theme="light"'))
    )
    page = visit.page
    frame = opened(page)
    page.evaluate("() => postMessage({ rc: 1, type: 'close' })")
    frame.locator("html").evaluate(
        "() => postMessage({ rc: 1, type: 'theme', theme: 'dark' }, location.origin)"
    )
    # One that counts, sent after them, shows that they have been seen.
    page.evaluate("() => document.querySelector('rapporteur-chat').setAttribute('label', 'Help')")
    page.evaluate("() => document.querySelector('rapporteur-chat').setAttribute('theme', 'auto')")
    expect(frame.locator("html")).to_have_attribute("data-theme", "auto")
    expect(page.locator("rapporteur-chat iframe")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Help")).to_be_visible()


def test_in_the_page_it_loads_when_it_comes_into_view(
    call_on: CallOn, neighbourhood: Neighbourhood
) -> None:
    far = '<p style="height: 6000px">Far below:</p>'
    html = neighbourhood.widget('site="pub_islands" mode="inline"', before=far)
    visit = call_on(neighbourhood.partner.page(html))
    page = visit.page
    expect(page.locator("rapporteur-chat button")).to_be_hidden()
    page.mouse.wheel(0, 500)
    expect(page.locator("rapporteur-chat iframe")).to_have_count(0)
    assert [url for url in visit.requests if "/embed/v1/frame" in url] == []
    page.locator("rapporteur-chat").scroll_into_view_if_needed()
    frame = frame_of(page)
    expect(frame.get_by_role("heading", level=1)).to_be_visible()
    # It takes no focus from a reader who only scrolls by.
    assert page.evaluate(FOCUSED) == "body"
    ask(frame, OFTEN)
    expect(frame.locator("article")).to_contain_text(OFTEN_ANSWER)
    expect(frame.get_by_role("button", name="Close chat")).to_be_hidden()


def test_from_the_button_to_the_quoted_sentence_and_back_by_keyboard_alone(
    call_on: CallOn, neighbourhood: Neighbourhood
) -> None:
    page = call_on(neighbourhood.partner.page(neighbourhood.widget())).page
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUSED) == "button"
    page.keyboard.press("Enter")
    frame = frame_of(page)
    expect(frame.get_by_label("Your question")).to_be_focused()
    page.keyboard.type(OFTEN)
    page.keyboard.press("Enter")
    expect(frame.get_by_role("status")).to_contain_text("The answer is ready.")
    expect(frame.get_by_role("status")).to_contain_text(OFTEN_ANSWER)
    marker = frame.get_by_role("button", name="Source 1: The assembly of the islands").first
    for _ in range(40):
        if marker.evaluate("node => node === document.activeElement"):
            break
        page.keyboard.press("Shift+Tab")
    expect(marker).to_be_focused()
    page.keyboard.press("Enter")
    expect(frame.locator("mark")).to_be_focused()
    expect(frame.locator("mark")).to_contain_text(OFTEN_ANSWER)
    expect(frame.get_by_role("region", name="Source 1: The assembly")).to_be_visible()
    page.keyboard.press("Escape")
    expect(frame.locator("#source")).to_be_hidden()
    expect(marker).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("rapporteur-chat iframe")).to_be_hidden()
    assert page.evaluate(FOCUSED) == "button"
    expect(page.get_by_role("button", name="Ask a question")).to_have_attribute(
        "aria-expanded", "false"
    )
    page.keyboard.press("Enter")
    expect(frame.get_by_label("Your question")).to_be_focused()
    expect(frame.locator("article")).to_contain_text(OFTEN_ANSWER)
    page.get_by_role("button", name="Close chat").focus()
    page.keyboard.press("Escape")
    expect(page.locator("rapporteur-chat iframe")).to_be_hidden()


@pytest.mark.parametrize("position", ["start", "end"])
def test_on_a_narrow_phone_nothing_is_cut_off(
    call_on: CallOn, neighbourhood: Neighbourhood, position: str
) -> None:
    html = neighbourhood.widget(f'site="pub_islands" position="{position}"')
    page = call_on(
        neighbourhood.partner.page(html),
        viewport={"width": 320, "height": 568},
        has_touch=True,
        is_mobile=True,
    ).page
    page.get_by_role("button", name="Ask a question").tap()
    frame = frame_of(page)
    expect(frame.get_by_role("heading", level=1)).to_be_focused()
    box = page.locator("rapporteur-chat iframe").bounding_box()
    assert box == {"x": 0, "y": 0, "width": 320, "height": 568}
    ask(frame, OFTEN)
    wide = "() => document.documentElement.scrollWidth"
    assert frame.locator("html").evaluate(wide) <= 320
    for target in frame.locator("button:visible, a:visible").all():
        size = target.bounding_box()
        assert size is not None
        assert min(size["width"], size["height"]) >= 24, target.evaluate("node => node.outerHTML")
    frame.get_by_role("button", name="Source 1: The assembly").first.tap()
    expect(frame.locator("mark")).to_be_in_viewport()
    # Nothing but the passage itself has been scrolled, in the frame and around it.
    assert frame.locator("html").evaluate("() => scrollY") == 0
    assert (
        page.locator("rapporteur-chat iframe").evaluate(
            "node => node.parentNode.scrollHeight - node.parentNode.clientHeight"
        )
        == 0
    )
    assert frame.locator("html").evaluate(wide) <= 320
    assert page.evaluate(wide) <= 320


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_state_of_it_breaks_an_accessibility_rule(
    call_on: CallOn, neighbourhood: Neighbourhood, scheme: str
) -> None:
    # The checker is put into the page from outside, which the page's own policy forbids.
    # It can't see into a frame of another origin: the widget's page is opened by itself.
    options = {
        "color_scheme": scheme,
        "bypass_csp": True,
        "viewport": {"width": 400, "height": 640},
    }
    page = call_on(neighbourhood.frame("pub_harbour"), **options).page
    violations = {"start": Axe().run(page).response["violations"]}
    ask(page, "Who sits on the harbour tribunal?")
    violations["written"] = Axe().run(page).response["violations"]
    page.get_by_role("button", name="Poor answer").click()
    violations["reasons"] = Axe().run(page).response["violations"]
    page.get_by_role("button", name=re.compile("^Source 1")).first.click()
    violations["source"] = Axe().run(page).response["violations"]
    page.keyboard.press("Escape")
    ask(page, "What is the boiling point of tungsten?")
    violations["refusal"] = Axe().run(page).response["violations"]
    around = call_on(neighbourhood.partner.page(neighbourhood.widget()), **options).page
    opened(around)
    violations["around"] = Axe().run(around).response["violations"]
    assert {state: [each["id"] for each in found] for state, found in violations.items()} == {
        state: [] for state in violations
    }


@pytest.mark.skipif(
    "RAPPORTEUR_EMBED_SCREENSHOT" not in os.environ,
    reason="set RAPPORTEUR_EMBED_SCREENSHOT=FILE.png to take README's picture of the widget",
)
def test_take_the_picture_of_the_readme(call_on: CallOn, shipped: Neighbourhood) -> None:
    look = "<style>body { font: 17px/1.5 Georgia, serif; margin: 24px 48px; }</style>"
    html = shipped.widget('site="pub_islands" mode="inline"', before=look)
    visit = call_on(shipped.partner.page(html), viewport={"width": 1100, "height": 800})
    frame = frame_of(visit.page)
    ask(frame, "How does the Universal Periodic Review work?")
    frame.get_by_role("button", name=re.compile("^Source 2")).first.click()
    expect(frame.locator("mark")).to_be_visible()
    visit.page.screenshot(path=os.environ["RAPPORTEUR_EMBED_SCREENSHOT"])
