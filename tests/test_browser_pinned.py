"""The lines that a partner pastes, in a real browser: pinned, and where the pin is refused."""

from collections.abc import Callable
from pathlib import Path

import pytest
from embed_material import Neighbourhood, ask, opened
from playwright.sync_api import expect
from web_material import Visit

from assistant.web.embed_files import KEPT
from assistant.web.pages import STATIC
from assistant.web.partners import Partner
from assistant.web.snippet import snippet

pytest_plugins = ("web_fixtures", "browser_fixtures", "embed_fixtures")

OFTEN = "How often does the assembly of the islands meet?"

CallOn = Callable[..., Visit]


def pasted(neighbourhood: Neighbourhood, loader: bytes) -> str:
    """The address of a partner's page that pins `loader`."""
    partner = Partner(id="pub_islands", title="Ask the islands")
    lines = snippet(partner, neighbourhood.assistant, loader).pinned
    return neighbourhood.partner.page(
        f'<!doctype html><html lang="en"><title>A page</title><p>Ours.</p>{lines}</html>'
    )


@pytest.mark.parametrize(
    "path", sorted((STATIC / KEPT).iterdir()), ids=lambda path: path.stem.split("-")[1]
)
def test_every_loader_that_was_ever_pinned_still_opens_the_chat(
    call_on: CallOn, neighbourhood: Neighbourhood, path: Path
) -> None:
    visit = call_on(pasted(neighbourhood, path.read_bytes()))
    assert visit.requests[1] == f"{neighbourhood.assistant}/embed/v1/{path.name}"
    frame = opened(visit.page)
    ask(frame, OFTEN)
    expect(frame.locator("article")).to_contain_text("three times a year")
    expect(visit.page.get_by_role("link", name="Ask the islands")).to_be_hidden()
    assert visit.complaints == []


def test_a_pin_that_is_refused_leaves_a_link_to_the_chat(
    call_on: CallOn, neighbourhood: Neighbourhood
) -> None:
    page = call_on(pasted(neighbourhood, b"never served")).page
    page.get_by_role("link", name="Ask the islands").click()
    ask(page, OFTEN)
    expect(page.locator("article")).to_contain_text("three times a year")
