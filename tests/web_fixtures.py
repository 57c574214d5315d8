"""The chat as it is served, over a small library."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import Queue

import pytest
from web_material import LIBRARY, Unhurried

from assistant.chain import Assistant
from assistant.composition import build_assistant
from assistant.settings import Settings
from assistant.web.server import create_app, serve
from index.embeddings import Embedder
from index.ingest import ingest

Served = Callable[[Assistant, Settings], str]


@pytest.fixture(scope="session")
def web_settings(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> Settings:
    """Settings of a small library that is indexed."""
    root = tmp_path_factory.mktemp("web")
    library = root / "library"
    library.mkdir()
    for name, text in LIBRARY.items():
        (library / name).write_text(text, encoding="utf-8")
    ingest(library, root / "index", embedder)
    return Settings(
        library=library,
        index=root / "index",
        allowed_hosts=("chat.example.org",),
        partners=root / "partners.toml",
        feedback=f"sqlite:///{root / 'feedback.db'}",
        api_per_minute=100_000,
        api_per_day=1_000_000,
    )


@pytest.fixture(scope="session")
def assistant(web_settings: Settings) -> Assistant:
    """The assistant that the chat asks."""
    built = build_assistant(web_settings)
    return Unhurried(built.reader, built.embedder, evidence=web_settings.evidence)


@contextmanager
def serving(assistant: Assistant, settings: Settings) -> Iterator[str]:
    """Serves the chat within the block; gives its address, without a slash at its end."""
    app = create_app(assistant, settings)
    ready: Queue[str] = Queue()
    ended = threading.Event()
    given = app, "127.0.0.1", 0, ready.put, ended
    thread = threading.Thread(target=serve, args=given, daemon=True)
    thread.start()
    try:
        yield ready.get(timeout=60).rstrip("/")
    finally:
        ended.set()
        thread.join(timeout=30)


@pytest.fixture
def served() -> Iterator[Served]:
    """Serves a chat until the test ends, and gives its address."""
    with ExitStack() as open_:
        yield lambda assistant, settings: open_.enter_context(serving(assistant, settings))


@pytest.fixture(scope="session")
def chat_address(assistant: Assistant, web_settings: Settings) -> Iterator[str]:
    """Address of the running chat."""
    with serving(assistant, web_settings) as address:
        yield address


@pytest.fixture
def shipped_address(tmp_path: Path, embedder: Embedder, served: Served) -> str:
    """Address of a chat over the library that ships."""
    settings = Settings(index=tmp_path / "index")
    ingest(settings.library, settings.index, embedder)
    return served(build_assistant(settings), settings)
