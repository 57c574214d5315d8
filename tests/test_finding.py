"""How a question is found: names in other words, sentences by their questions, ties."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.chain import Assistant
from assistant.finding import TIE, legal_first
from assistant.indexing import without_questions
from assistant.other_names import other_names
from assistant.settings import load_settings
from index.embeddings import Embedder
from index.ingest import ingest
from index.reader import IndexReader
from index.retrieval import Hit
from tests.index_material import document, write_library

ROOT = Path(__file__).resolve().parent.parent
GLOSSARY = tomllib.loads((ROOT / "assistant" / "other_names.toml").read_text("utf-8"))
NAMES = [(other, name) for table in GLOSSARY.values() for other, name in table.items()]
LIBRARY = {
    "instruments/harbour.md": """# The Harbour Accord

## Keepers

The accord was signed on a stormy night. The International Court of Justice sits in a palace.
The oldest keeper rings a brass bell. Every ship lowers its flag before the pier.

Posts were held by the following:

- Arno Weld, from 1901 to 1911.
- Brita Sund, who drowned off the reef in 1915.
""",
    "instruments/harbour.questions.toml": """["Keepers"]
questions = ["Who kept the harbour?"]

["Keepers".answers]
"How do vessels pay their respects?" = "Every ship lowers"
"Which guardian lost her life at sea?" = "Brita Sund"
""",
}


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> Iterator[Assistant]:
    root = tmp_path_factory.mktemp("finding")
    ingest(write_library(root / "library", LIBRARY), root / "index", embedder)
    reader = IndexReader(root / "index", model_digest=embedder.digest)
    yield Assistant(reader, embedder)
    reader.close()


@pytest.mark.parametrize(
    ("text", "library", "expected"),
    [
        ("Who sits on the World Court?", "International Court of Justice", True),
        ("Who sits on the International Court of Justice?", "world court", True),
        ("What do the war crimes tribunal’s judges do?", "International Criminal Court", True),
        ("What do ACTIVISTS ask for?", "human rights defender", True),
        ("Is the world courteous?", "International Court of Justice", False),
        ("Who sits on the World Court?", "nothing of the kind", False),
    ],
)
def test_names_in_other_words(text: str, library: str, *, expected: bool) -> None:
    found = other_names(text, lambda name: name.casefold() in library.casefold())
    assert found == ((library,) if expected else ())


def test_a_name_that_is_there_already_is_not_given_again() -> None:
    asked = "Is the World Court the International Court of Justice?"
    assert other_names(asked, lambda _: True) == ()


def test_the_glossary_names_what_the_library_names() -> None:
    texts = "\n".join(p.read_text("utf-8") for p in (ROOT / "corpus/texts").rglob("*.md"))
    unknown = [name for _, name in NAMES if name.casefold() not in texts.casefold()]
    assert not unknown
    assert all(other.casefold() != name.casefold() for other, name in NAMES)


def test_another_name_finds_the_passage(assistant: Assistant) -> None:
    answer = assistant.ask("Where is the World Court?").answer()
    assert "sits in a palace" in answer.text


@pytest.mark.parametrize(
    ("question", "held"),
    [
        ("In what way do vessels show respect?", "lowers its flag"),
        ("Which guardian lost her life in the sea?", "Brita Sund"),
    ],
)
def test_a_sentence_is_found_by_the_question_it_answers(
    assistant: Assistant, question: str, held: str
) -> None:
    (hit, *_) = assistant.find(question)
    best = max(hit.best, key=lambda sentence: sentence.asked)
    assert held in hit.passage.sentence_text(best.sentence)
    assert held in assistant.ask(question).answer().text


def test_an_item_alone_brings_its_lead_in(assistant: Assistant) -> None:
    answer = assistant.ask("Which guardian lost her life in the sea?").answer()
    quotes = [citation.quote for citation in answer.citations]
    at = next(number for number, quote in enumerate(quotes) if quote.startswith("Brita Sund"))
    assert any(quote.startswith("Posts were held") for quote in quotes[:at])


def _hit(kind: str, score: float, rank: int) -> Hit:
    _, (passage,) = document(f"{kind}.md", f"What the {kind} says.")
    return Hit(passage=passage, score=score, rank=rank)


@pytest.mark.parametrize(
    ("asked", "ahead", "first"),
    [
        ("Are recommendations binding?", TIE / 2, "instrument"),
        ("Are recommendations binding?", TIE * 2, "article"),
        ("Who came to the meeting?", TIE / 2, "article"),
    ],
)
def test_instruments_come_before_articles_when_equally_relevant(
    asked: str, ahead: float, first: str
) -> None:
    article, instrument = _hit("article", 0.5 + ahead, 1), _hit("instrument", 0.5, 2)
    kinds = {article.passage.document_id: "article", instrument.passage.document_id: "instrument"}
    ranked = legal_first([article, instrument], asked, kinds.__getitem__)
    assert kinds[ranked[0].passage.document_id] == first
    assert [hit.rank for hit in ranked] == [1, 2]


def test_a_copy_without_questions_has_an_index_of_its_own(tmp_path: Path) -> None:
    library = write_library(tmp_path / "library", LIBRARY)
    settings = load_settings(library=library, index=tmp_path / "index")
    bare = without_questions(settings)
    assert bare.index != settings.index
    copied = [path.name for path in bare.library.rglob("*") if path.is_file()]
    assert copied == ["harbour.md"]
    assert len(list(library.rglob("*.toml"))) == 1
