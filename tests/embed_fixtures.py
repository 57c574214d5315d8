"""The assistant with a partner's site and another one, each on an origin of its own."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from embed_material import PARTNERS, STARS, Drafting, Neighbourhood, Site
from playwright.sync_api import Browser
from web_fixtures import Served, serving
from web_material import LIBRARY, Visit

from assistant.composition import build_assistant
from assistant.settings import Settings
from index.embeddings import Embedder
from index.ingest import ingest


@pytest.fixture(scope="session")
def neighbourhood(
    embedder: Embedder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Neighbourhood]:
    """All of them, running."""
    partner, other = Site(), Site()
    root = tmp_path_factory.mktemp("neighbourhood")
    library = root / "library"
    library.mkdir()
    for name, text in {**LIBRARY, "stars.md": STARS}.items():
        (library / name).write_text(text, encoding="utf-8")
    ingest(library, root / "index", embedder)
    (root / "partners.toml").write_text(PARTNERS.format(allowed=partner.origin))
    settings = Settings(
        library=library,
        index=root / "index",
        partners=root / "partners.toml",
        feedback=f"sqlite:///{root / 'feedback.db'}",
    )
    built = build_assistant(settings)
    drafting = Drafting(built.reader, built.embedder, evidence=settings.evidence)
    # Another name than the sites', so that nothing here is "same-site".
    with serving(drafting, settings) as address:
        yield Neighbourhood(
            assistant=address.replace("127.0.0.1", "localhost"),
            partner=partner,
            other=other,
            ratings=root / "feedback.db",
        )
    partner.close()
    other.close()


@pytest.fixture
def call_on(browser: Browser) -> Iterator[Callable[..., Visit]]:
    """Opens an address in a context of its own; the arguments are Playwright's for a context."""
    contexts = []

    def open_page(address: str, *, before: str = "", **options: Any) -> Visit:
        context = browser.new_context(**{"viewport": {"width": 1100, "height": 800}, **options})
        contexts.append(context)
        if before:
            context.add_init_script(before)
        made = Visit(page=context.new_page())
        made.page.set_default_timeout(15_000)
        made.page.on("request", lambda request: made.requests.append(request.url))
        made.page.on("pageerror", lambda error: made.complaints.append(str(error)))
        made.page.on(
            "console",
            lambda said: (
                made.complaints.append(said.text) if said.type in {"error", "warning"} else None
            ),
        )
        made.page.goto(address)
        return made

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def shipped(
    neighbourhood: Neighbourhood, tmp_path: Path, embedder: Embedder, served: Served
) -> Neighbourhood:
    """The same sites beside an assistant over the library that ships."""
    settings = Settings(
        index=tmp_path / "index", partners=tmp_path / "partners.toml", feedback="sqlite://"
    )
    ingest(settings.library, settings.index, embedder)
    settings.partners.write_text(
        f'[partners.pub_islands]\norigins = ["{neighbourhood.partner.origin}"]\n'
        'title = "Human rights assistant"\n'
    )
    address = served(build_assistant(settings), settings).replace("127.0.0.1", "localhost")
    return replace(neighbourhood, assistant=address)
