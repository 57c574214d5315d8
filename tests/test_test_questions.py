"""The test questions themselves: exact, unlike the anticipated ones, and enough of each kind."""

import json
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from index.embeddings import Embedder
from index.lexical import terms
from tests.fit_reranker import letters

ROOT = Path(__file__).resolve().parent.parent
TEXTS = ROOT / "corpus" / "texts"
QUESTIONS = [
    json.loads(line)
    for line in (ROOT / "tests" / "data" / "questions.jsonl").read_text("utf-8").splitlines()
]


def test_ids_are_unique() -> None:
    counts = Counter(question["id"] for question in QUESTIONS)
    assert not [name for name, count in counts.items() if count > 1]


def test_gold_quotes_are_exact_pieces_of_one_line() -> None:
    lines: dict[str, list[str]] = {}
    for question in QUESTIONS:
        for gold in question.get("gold", ()):
            path = gold["file"]
            if path not in lines:
                lines[path] = (TEXTS / path).read_text("utf-8").splitlines()
            assert any(gold["quote"] in line for line in lines[path]), (question["id"], gold)


def test_every_document_is_asked_about() -> None:
    asked = Counter(
        gold["file"]
        for question in QUESTIONS
        if question["type"] in {"fact", "list", "definition"}
        for gold in question["gold"]
    )
    few = [
        path.relative_to(TEXTS).as_posix()
        for path in TEXTS.rglob("*.md")
        if asked[path.relative_to(TEXTS).as_posix()] < 5
    ]
    assert not few


@pytest.mark.parametrize(
    ("kind", "least"),
    [("unanswerable", 60), ("followup", 40), ("differ", 15)],
)
def test_there_are_enough_of_each_kind(kind: str, least: int) -> None:
    assert sum(question["type"] == kind for question in QUESTIONS) >= least


def test_no_test_question_is_nearly_an_anticipated_one() -> None:
    anticipated = [
        set(terms(text))
        for path in TEXTS.rglob("*.questions.toml")
        for table in tomllib.loads(path.read_text("utf-8")).values()
        for text in (*table["questions"], *table.get("answers", ()))
    ]
    alike = []
    for question in QUESTIONS:
        own = set(terms(question["question"]))
        if question.get("history") or len(own) < 2:
            continue
        if any(len(own & other) >= 0.8 * len(own | other) for other in anticipated):
            alike.append(question["id"])
    assert not alike


TRAINING = [
    json.loads(line)
    for line in (ROOT / "tests" / "data" / "training.jsonl").read_text("utf-8").splitlines()
]


def test_no_test_question_was_trained_on(embedder: Embedder) -> None:
    """Nearly the same by its words, or by its meaning."""
    asked = [question["question"] for question in QUESTIONS]
    trained = [row["question"] for row in TRAINING]
    near = embedder.encode(asked) @ embedder.encode(trained).T
    assert float(near.max()) < 0.86
    words = [set(terms(text)) for text in trained]
    assert not [
        text
        for own, text in ((set(terms(text)), text) for text in asked)
        if len(own) > 2 and any(len(own & other) >= 0.8 * len(own | other) for other in words)
    ]


def test_training_questions_are_of_the_library() -> None:
    """Each names a document, and words that stand in it."""
    texts = {
        path.relative_to(TEXTS).with_suffix("").as_posix(): letters(path.read_text("utf-8"))
        for path in TEXTS.rglob("*.md")
    }
    assert len({row["question"] for row in TRAINING}) == len(TRAINING)
    for row in TRAINING:
        for words in (*row["right"], *row["wrong"]):
            assert letters(words) in texts[row["document"]], (row["question"], words)
    assert sum(not row["right"] for row in TRAINING) >= 1000
