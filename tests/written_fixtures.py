"""An assistant that writes by the chat model of the tests, over real HTTP."""

from collections.abc import Iterator

import pytest
from answering_material import LIBRARY
from index_material import write_library
from model_server import ModelServer, model_server
from written_material import IMPATIENT, KEY, PLANTED, Writing

from assistant.chain import Assistant
from assistant.models import ModelLimits, load_chat_model
from assistant.remembered import Remembered
from assistant.support import SupportCheck
from assistant.writing import Writer
from index.embeddings import Embedder
from index.ingest import ingest
from index.reader import IndexReader


@pytest.fixture(scope="session")
def model() -> Iterator[ModelServer]:
    """The server of the chat model, for all tests."""
    with model_server() as server:
        yield server


@pytest.fixture(scope="session")
def written_reader(
    tmp_path_factory: pytest.TempPathFactory, embedder: Embedder
) -> Iterator[IndexReader]:
    """The index of a small library, one document of which gives orders."""
    root = tmp_path_factory.mktemp("written")
    library = {**LIBRARY, "articles/bell.md": PLANTED}
    ingest(write_library(root / "library", library), root / "index", embedder)
    reader = IndexReader(root / "index", model_digest=embedder.digest)
    yield reader
    reader.close()


@pytest.fixture(scope="session")
def support(embedder: Embedder) -> SupportCheck:
    """The check of sentences, with what it has read before."""
    return SupportCheck(Remembered(embedder))


@pytest.fixture
def writing(
    model: ModelServer, written_reader: IndexReader, embedder: Embedder, support: SupportCheck
) -> Writing:
    """Makes an assistant whose model answers in a mode of the server's."""

    def make(
        mode: str = "honest",
        *,
        leave_out: bool = False,
        limits: ModelLimits = IMPATIENT,
        url: str = "",
        rewritten: str = "",
    ) -> Assistant:
        model.mode, model.script, model.rewritten = mode, [], rewritten
        model.requests.clear()
        chat = load_chat_model("openai:test", base_url=url or model.url, api_key=KEY, limits=limits)
        writer = Writer(model=chat, check=support, leave_out=leave_out)
        return Assistant(written_reader, embedder, writer=writer)

    return make
