"""A real browser for the tests: Debian's Chromium, else Playwright's own, else a skip."""

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, sync_playwright
from web_material import Visit

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests."""
    installed = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        try:
            started = playwright.chromium.launch(executable_path=installed, args=ARGUMENTS)
        except Error:
            pytest.skip(
                "no browser: install chromium, or run `.venv/bin/playwright install chromium`"
            )
        yield started
        started.close()


@pytest.fixture
def visit(browser: Browser, chat_address: str) -> Iterator[Callable[..., Visit]]:
    """Opens a path in a context of its own; the arguments are Playwright's for a context."""
    contexts = []

    def open_page(path: str = "/", **options: Any) -> Visit:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        made = Visit(page=context.new_page())
        made.page.set_default_timeout(15_000)
        made.page.on("request", lambda request: made.requests.append(request.url))
        made.page.on("pageerror", lambda error: made.complaints.append(str(error)))
        made.page.on(
            "console",
            lambda said: made.complaints.append(said.text) if said.type == "error" else None,
        )
        made.page.goto(chat_address + path)
        return made

    yield open_page
    for context in contexts:
        context.close()
