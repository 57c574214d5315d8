"""Which sentences are quoted, and which not, over a real index with anticipated questions."""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.answers import Answer
from assistant.chain import Assistant
from assistant.finding import Found
from assistant.grounding import compose
from assistant.phrases import FURTHER
from assistant.questions import Part
from assistant.quoting import (
    FIRST_BEHIND,
    FIRST_ODDS,
    NEAR_BEST,
    NEAR_FIRST,
    NEAR_FIRST_ODDS,
    NEAR_ODDS,
    Quote,
    choose,
)
from assistant.ranking import WEIGHTS, Candidate, candidates, clues_of, weigh_in
from assistant.reranking import ANTICIPATED
from assistant.understanding import Asked, read
from assistant.whole_lists import whole_list
from index.embeddings import Embedder
from index.ingest import ingest
from index.reader import IndexReader
from index.retrieval import Filters, Retriever
from tests.index_material import write_library

COURT = """---
title: The tide court
kind: institution
---

# The tide court

The tide court decides disputes between islands.

## Effect of its judgments

A judgment of the tide court is final and binds the islands in that case. If an island does not
comply with a judgment, the other may turn to the harbour council. While a case is pending, the
tide court may order provisional measures to protect the rights in dispute. Provisional measures
of the tide court are binding as well.
"""

QUESTIONS = """["Effect of its judgments"]
questions = ["What force has a verdict?"]

["Effect of its judgments".answers]
"Can a loser simply shrug off the verdict?" = "A judgment of the tide court"
"Where does the winner turn when nobody pays?" = "If an island does not"
"What can the judges do while they are still thinking?" = "While a case is pending"
"""

CHARTER = """---
title: The lamp charter
kind: declaration
---

# The lamp charter

The lamp charter says what every lighthouse owes to ships.

## The vote

Of the 58 islands, 48 voted for the lamp charter, none voted against and 2 did not vote.

Eight islands abstained when the lamp charter was put to the vote:

- Brenholm;
- Carrow;
- Dunnet;
- Eastray;
- Farholm;
- Gannet;
- Hestan;
- Inchmore.
"""


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> Iterator[Assistant]:
    root = tmp_path_factory.mktemp("ranking")
    files = {"court.md": COURT, "court.questions.toml": QUESTIONS, "charter.md": CHARTER}
    ingest(write_library(root / "library", files), root / "index", embedder)
    reader = IndexReader(root / "index", model_digest=embedder.digest)
    yield Assistant(reader, embedder)
    reader.close()


def ask(assistant: Assistant, question: str) -> Answer:
    return assistant.ask(question).answer()


def test_a_sentence_that_says_it_word_for_word_is_quoted_though_no_question_points_to_it(
    assistant: Assistant,
) -> None:
    answer = ask(assistant, "Are provisional measures of the tide court binding?")
    assert "Provisional measures of the tide court are binding as well." in answer.text


def test_an_anticipated_question_brings_its_sentence_first(assistant: Assistant) -> None:
    answer = ask(assistant, "Can somebody who loses shrug off the verdict?")
    assert answer.statements[0].text.startswith("A judgment of the tide court is final")


def test_a_list_does_not_hide_the_sentence_that_answers(assistant: Assistant) -> None:
    answer = ask(assistant, "How many islands voted for the lamp charter?")
    assert answer.statements[0].text.startswith("Of the 58 islands, 48 voted for")


def test_a_list_that_is_asked_for_comes_whole(assistant: Assistant) -> None:
    answer = ask(assistant, "Which islands abstained when the lamp charter was put to the vote?")
    assert "- Brenholm" in answer.text
    assert "- Inchmore" in answer.text


def two_sentences(assistant: Assistant) -> tuple[Found, list[Candidate]]:
    with assistant.reader.lease() as index:
        finder = assistant.finder(index)
        asked = Asked(question="Who decides disputes?", turns=(), filters=Filters())
        (found,) = finder.find(read(asked, finder).question, Filters(), 8)
        return found, candidates(found, weigh_in(index), index.catalogue)[:2]


@pytest.mark.parametrize(
    ("worse", "less_likely", "apart"),
    [
        (NEAR_FIRST - 0.1, NEAR_FIRST_ODDS - 0.1, [False, False]),
        (NEAR_FIRST + 0.1, 0.0, [False, True]),
        (0.0, NEAR_FIRST_ODDS + 0.1, [False, True]),
        (NEAR_BEST - 0.1, NEAR_ODDS - 0.1, [False, True]),
        (NEAR_BEST - 0.1, NEAR_ODDS + 0.1, [False]),
    ],
)
def test_the_less_likely_a_sentence_the_further_it_stands_from_the_answer(
    assistant: Assistant, worse: float, less_likely: float, apart: list[bool]
) -> None:
    found, ranked = two_sentences(assistant)
    best = replace(ranked[0], score=5.0, answers=1.0)
    other = replace(ranked[1], score=5.0 - worse, answers=1.0 - less_likely)
    quotes = choose([(found, (best, other), 5)], lambda *_: 0.0)
    assert [quote.further for quote in quotes] == apart
    assert quotes[0].sentence == best.sentence


@pytest.mark.parametrize(
    ("odds", "others", "asked", "clear"),
    [
        (FIRST_ODDS, FIRST_ODDS, 0.0, True),
        (FIRST_ODDS - 0.1, FIRST_ODDS - 1, 0.0, False),
        (2.0, 2.0 + FIRST_BEHIND, 0.0, True),
        (2.0, 2.1 + FIRST_BEHIND, 0.0, False),
        (None, None, ANTICIPATED, True),
        (None, None, ANTICIPATED - 0.1, False),
    ],
)
def test_nothing_is_set_apart_from_a_sentence_that_may_not_answer(
    assistant: Assistant, odds: float | None, others: float | None, asked: float, clear: bool
) -> None:
    found, ranked = two_sentences(assistant)
    best = replace(ranked[0], score=5.0, answers=odds, asked=asked)
    other = replace(ranked[1], score=4.9 - NEAR_FIRST, answers=others)
    quotes = choose([(found, (best, other), 5)], lambda *_: 0.0)
    assert [quote.further for quote in quotes] == [False, clear]


def test_what_is_set_apart_stands_below_a_line_that_says_so(assistant: Assistant) -> None:
    _, ranked = two_sentences(assistant)
    pair = [Quote(passage=c.passage, sentence=c.sentence, group=0) for c in ranked]
    composed = compose([pair[0], replace(pair[1], further=True)], assistant.catalogue())
    assert composed.text == f"{ranked[0].text} [1]\n\n{FURTHER}\n\n{ranked[1].text} [2]"
    assert [statement.further for statement in composed.statements] == [False, True]


def test_a_list_is_left_out_where_its_lines_are_unlikely_to_answer(assistant: Assistant) -> None:
    with assistant.reader.lease() as index:
        finder = assistant.finder(index)
        question = "Which islands abstained when the lamp charter was put to the vote?"
        asked = Asked(question=question, turns=(), filters=Filters())
        (found,) = finder.find(read(asked, finder).question, Filters(), 8)
        ranked = candidates(found, weigh_in(index), index.catalogue)
    assert whole_list(found, ranked)
    sentence = next(c for c in ranked if c.text.startswith("Of the 58 islands"))

    def other(one: Candidate) -> Candidate:
        if one is sentence:
            return replace(one, score=9.0, answers=5.0)
        return replace(one, score=0.0, answers=-5.0)

    assert not whole_list(found, sorted(map(other, ranked), key=lambda one: -one.score))


def test_a_year_that_many_passages_name_tells_less_than_one_that_few_do(
    tmp_path: Path, embedder: Embedder
) -> None:
    texts = {f"{n}.md": f"# Isle {n}\n\nIsle {n} met in 1990.\n" for n in range(12)}
    texts["last.md"] = "# The last isle\n\nThe last isle met in 1991.\n"
    ingest(write_library(tmp_path / "library", texts), tmp_path / "index", embedder)
    reader = IndexReader(tmp_path / "index", model_digest=embedder.digest)
    with reader.lease() as index:
        retriever = Retriever(index, embedder)
        of_many, of_few = (
            max(clues["named"] for _, clues in retriever.candidates(query))
            for query in (retriever.query("Who met?", [year]) for year in ("1990", "1991"))
        )
    reader.close()
    assert (of_many, of_few) == (0.25, 1.0)


def test_the_score_is_the_weighted_sum_of_the_clues(assistant: Assistant) -> None:
    with assistant.reader.lease() as index:
        finder = assistant.finder(index)
        asked = Asked(question="Who may order measures?", turns=(), filters=Filters())
        (found,) = finder.find(read(asked, finder).question, Filters(), 3)
        assert isinstance(found.part, Part)
        ranked = candidates(found, weigh_in(index), index.catalogue)
        scores = {
            (hit.passage.id, best.sentence.start): sum(
                WEIGHTS[name] * clues[name] for name in clues
            )
            for hit, best, clues in clues_of(found, weigh_in(index), index.catalogue)
        }
    assert len(ranked) == len(scores)
    assert [one.score for one in ranked] == sorted(scores.values(), reverse=True)
    for one in ranked:
        assert math.isclose(one.score, scores[one.passage.id, one.sentence.start])
