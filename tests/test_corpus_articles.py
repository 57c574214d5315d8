"""The five real articles, where they are at hand: titles, headings, notices, furniture, offsets."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from corpus.documents import Document
from corpus.library import scan, survey
from corpus.reading import Reader
from corpus.splitting import notice_passages, split

ARTICLES = Path(__file__).resolve().parents[2] / "shared" / "articles"

pytestmark = pytest.mark.skipif(
    not (ARTICLES / "headings.json").is_file(), reason="../shared/articles is not at hand"
)


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ARTICLES / "headings.json").read_text("utf-8"))
    return found


@pytest.fixture(scope="module")
def documents() -> Iterator[dict[str, Document]]:
    with Reader() as reader:
        yield {source.path: reader.read(source, ARTICLES) for source in scan(ARTICLES)}


def plain(text: str) -> str:
    return " ".join(text.split())


def test_only_the_articles_are_documents(expected: dict[str, Any]) -> None:
    found = survey(ARTICLES)
    assert {source.path for source in found.files} == set(expected)
    assert {path for path, _ in found.ignored} == {"README.md", "headings.json", "questions.jsonl"}
    assert found.unreadable == ()


def test_every_heading_is_found_at_its_level(
    documents: dict[str, Document], expected: dict[str, Any]
) -> None:
    total = 0
    for path, wanted in expected.items():
        found = [(s.heading, s.level) for s in documents[path].sections if s.level]
        assert found == [(text, level) for _, text, level in wanted["headings"]], path
        total += len(found)
    assert total == 72


def test_titles_and_notices(documents: dict[str, Document], expected: dict[str, Any]) -> None:
    for path, wanted in expected.items():
        assert documents[path].title == wanted["title"]
        notices = [wanted["notice"]["text"]] if wanted["notice"] else []
        assert [notice.text for notice in documents[path].notices] == notices
        assert {notice.kind for notice in documents[path].notices} <= {"ai-generated"}


def test_exactly_the_furniture_is_dropped(
    documents: dict[str, Document], expected: dict[str, Any]
) -> None:
    dropped = 0
    for path, wanted in expected.items():
        document = documents[path]
        lines = (ARTICLES / path).read_text("utf-8").split("\n")
        kept = {plain(line) for line in document.text.split("\n")}
        kept |= {document.title, *(notice.text for notice in document.notices)}
        missing = [plain(line) for line in lines if line.strip() and plain(line) not in kept]
        assert missing == [plain(entry["text"]) for entry in wanted["drop"]], path
        dropped += len(missing)
    assert dropped == 9


def test_offsets_reproduce_passages_and_sentences(documents: dict[str, Document]) -> None:
    for document in documents.values():
        covered = 0
        for passage in (*split(document), *notice_passages(document)):
            assert document.text[passage.start : passage.end] == passage.text
            covered += len(passage.text.split())
            for sentence in passage.sentences:
                words = document.text[sentence.start : sentence.end]
                assert passage.sentence_text(sentence) == words == words.strip()
                assert len(words) >= 3
        headings = sum(len(s.heading.split()) for s in document.sections)
        assert covered == len(document.text.split()) - headings


def test_every_gold_quote_lies_in_one_passage(documents: dict[str, Document]) -> None:
    passages = {path: split(document) for path, document in documents.items()}
    for line in (ARTICLES / "questions.jsonl").read_text("utf-8").splitlines():
        for gold in json.loads(line).get("gold", ()):
            notices = [notice.text for notice in documents[gold["file"]].notices]
            places = [passage.text for passage in passages[gold["file"]]] + notices
            assert any(plain(gold["quote"]) in plain(place) for place in places), gold
