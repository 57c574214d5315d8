"""The chat as it is served, over a small library."""

import threading
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


def served(assistant: Assistant, settings: Settings) -> str:
    """Serve the chat until the tests end; gives its address, without a slash at its end."""
    app = create_app(assistant, settings)
    ready: Queue[str] = Queue()
    threading.Thread(target=serve, args=(app, "127.0.0.1", 0, ready.put), daemon=True).start()
    return ready.get(timeout=60).rstrip("/")


@pytest.fixture(scope="session")
def chat_address(assistant: Assistant, web_settings: Settings) -> str:
    """Address of the running chat."""
    return served(assistant, web_settings)


@pytest.fixture
def shipped_address(tmp_path: Path, embedder: Embedder) -> str:
    """Address of a chat over the library that ships."""
    settings = Settings(index=tmp_path / "index")
    ingest(settings.library, settings.index, embedder)
    return served(build_assistant(settings), settings)
