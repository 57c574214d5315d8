"""Which sentences are quoted, and which not, over a real index with anticipated questions."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.answers import Answer
from assistant.chain import Assistant
from assistant.finding import Found
from assistant.grounding import compose, pieces_of
from assistant.lists import lists_of
from assistant.questions import Part, Want
from assistant.quoting import NEAR_BEST, NEAR_KNOWN, NEAR_ODDS, Quote, choose
from assistant.ranking import BEHIND, WEIGHTS, Candidate, candidates, clues_of, weigh_in
from assistant.reranking import ANTICIPATED
from assistant.standing import ABOVE, OMITTED, Standing
from assistant.understanding import Asked, read
from assistant.whole_lists import whole_list
from corpus.documents import Sentence
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


def some_sentences(assistant: Assistant, count: int = 2) -> tuple[Found, list[Candidate]]:
    with assistant.reader.lease() as index:
        finder = assistant.finder(index)
        asked = Asked(question="Who decides disputes?", turns=(), filters=Filters())
        (found,) = finder.find(read(asked, finder).question, Filters(), 8)
        ranked = candidates(found, weigh_in(index), index.catalogue)
        return found, [one for one in ranked if not one.sentence.is_item][:count]


def standings(quotes: Iterable[Quote]) -> list[str]:
    return [quote.standing.value for quote in quotes]


@pytest.mark.parametrize(
    ("worse", "less_likely", "expected"),
    [
        # The logarithm of two, from which the best one is as likely as is asked, is 0.69.
        (0.6, 0.1, ["unclear", "unclear"]),
        (0.8, 0.1, ["answer", "further"]),
        (NEAR_BEST - 0.1, NEAR_ODDS - 0.1, ["answer", "further"]),
        (NEAR_BEST + 0.1, 0.1, ["answer"]),
        (NEAR_BEST - 0.1, NEAR_ODDS + 0.1, ["answer"]),
    ],
)
def test_what_is_nearly_as_likely_is_set_apart_and_the_rest_left_out(
    assistant: Assistant, worse: float, less_likely: float, expected: list[str]
) -> None:
    found, ranked = some_sentences(assistant)
    best = replace(ranked[0], score=5.0, answers=1.0)
    other = replace(ranked[1], score=5.0 - worse, answers=1.0 - less_likely)
    quotes = choose([(found, (best, other), 5)], lambda *_: 0.0)
    assert standings(quotes) == expected
    assert quotes[0].sentence == best.sentence


@pytest.mark.parametrize(
    ("scores", "asked", "alike", "clear"),
    [
        # Above two thirds: e / (e + 1), and not one of e^0.9 against three of e^0.
        ([1.0, 0.0], 0.0, 0.0, True),
        ([0.9, 0.0, 0.0, 0.0], 0.0, 0.0, False),
        ([0.9, 0.0, 0.0, 0.0], 0.0, 1.0, True),
        ([0.9, 0.0, 0.0, 0.0], ANTICIPATED, 0.0, True),
    ],
)
def test_it_is_clear_what_answers_where_that_is_likelier_than_all_the_rest(
    assistant: Assistant, scores: list[float], asked: float, alike: float, clear: bool
) -> None:
    found, ranked = some_sentences(assistant, len(scores))
    ranked = [replace(c, score=s) for c, s in zip(ranked, scores, strict=True)]
    ranked[0] = replace(ranked[0], asked=asked)
    quotes = choose([(found, ranked, 5)], lambda *_: alike)
    assert (quotes[0].standing is Standing.ANSWER) is clear
    if not clear:
        assert set(standings(quotes)) == {"unclear"}
        assert quotes[0].sentence == ranked[0].sentence


@pytest.mark.parametrize(
    ("behind", "part", "answered"),
    [
        (NEAR_KNOWN - 0.1, Part(text="Who?", topic="Who decides disputes?"), True),
        (NEAR_KNOWN + 0.1, Part(text="Who?", topic="Who decides disputes?"), False),
        (
            NEAR_KNOWN - 0.1,
            Part(text="Who?", topic="Who decides disputes?", want=Want.COMPARISON),
            False,
        ),
        (NEAR_KNOWN - 0.1, Part(text="Who?"), False),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_what_answers_one_part_may_answer_another_that_is_about_it(
    assistant: Assistant, behind: float, part: Part, answered: bool, first: bool
) -> None:
    found, ranked = some_sentences(assistant, 3)
    known, *others = (replace(one, score=5.0) for one in ranked)
    clear = (found, [known], 5)
    other_part = replace(found, part=part)
    unclear = (other_part, [*others, replace(known, score=5.0 - behind)], 5)
    parts = [clear, unclear] if first else [unclear, clear]
    quotes = choose(parts, lambda *_: 0.0)
    assert quotes[0].sentence == known.sentence
    assert (standings(quotes) == ["answer"]) is answered


def test_a_line_that_answers_is_quoted_with_its_lead_in_though_there_is_room_for_one(
    assistant: Assistant,
) -> None:
    found, _ = some_sentences(assistant)
    passage = next(p for p in assistant.catalogue().passages.values() if lists_of(p))
    lead, first, *_ = lists_of(passage)[0]
    line = Candidate(
        passage=passage, sentence=first, score=1.0, similarity=0.5, cover=0.0, expected=False
    )
    quotes = choose([(found, [line], 1)], lambda *_: 0.0)
    assert [quote.sentence for quote in quotes] == [lead, first]
    assert set(standings(quotes)) == {"answer"}


def test_of_what_may_answer_a_line_of_a_list_stands_beside_sentences(
    assistant: Assistant,
) -> None:
    found, ranked = some_sentences(assistant, 1)
    passage = next(p for p in assistant.catalogue().passages.values() if lists_of(p))
    lead, first, *_ = lists_of(passage)[0]
    best = replace(ranked[0], score=5.0)
    for score, expected in ((4.9, [best.sentence, lead, first]), (4.0, [best.sentence])):
        line = replace(best, passage=passage, sentence=first, score=score)
        quotes = choose([(found, [best, line], 5)], lambda *_: 0.0)
        assert [quote.sentence for quote in quotes] == expected


def test_what_one_part_sets_apart_stands_where_another_has_it_as_its_answer(
    assistant: Assistant,
) -> None:
    found, ranked = some_sentences(assistant, 3)
    best, other, third = (replace(one, score=5.0, answers=1.0) for one in ranked)
    near, far = 5.0 - NEAR_BEST + 0.1, 5.0 - NEAR_BEST - 0.1
    parts = [
        (found, [best, replace(other, score=near)], 5),
        (found, [other, replace(third, score=near), replace(best, score=far)], 5),
    ]
    quotes = choose(parts, lambda *_: 0.0)
    assert [(quote.sentence, quote.standing.value, quote.group) for quote in quotes] == [
        (best.sentence, "answer", 0),
        (other.sentence, "answer", 1),
        (third.sentence, "further", 1),
    ]


def test_the_reranker_must_agree_on_what_answers(assistant: Assistant) -> None:
    found, ranked = some_sentences(assistant)
    best, other = (replace(c, score=s) for c, s in zip(ranked, (2.0, 0.0), strict=True))
    for odds, standing in ((1.0, "answer"), (1.0 - BEHIND - 0.1, "unclear")):
        pair = (replace(best, answers=odds), replace(other, answers=1.0))
        quotes = choose([(found, pair, 5)], lambda *_: 0.0)
        assert quotes[0].sentence == best.sentence
        assert quotes[0].standing.value == standing


def test_what_is_not_known_to_answer_stands_below_a_line_that_says_so(
    assistant: Assistant,
) -> None:
    _, ranked = some_sentences(assistant, 3)
    texts = [candidate.text for candidate in ranked]
    of = [Quote(passage=c.passage, sentence=c.sentence, group=0) for c in ranked]
    further = replace(of[2], standing=Standing.FURTHER)
    composed = compose([of[0], further], assistant.catalogue())
    line = ABOVE[Standing.FURTHER]
    assert composed.text == f"{texts[0]} [1]\n\n{line}\n\n{texts[2]} [2]"
    unclear = [replace(quote, standing=Standing.UNCLEAR) for quote in of[:2]]
    composed = compose([*unclear, further], assistant.catalogue())
    opening = ABOVE[Standing.UNCLEAR]
    assert composed.text == (
        f"{opening}\n\n{texts[0]} [1]\n\n{texts[1]} [2]\n\n{line}\n\n{texts[2]} [3]"
    )
    assert [statement.standing.value for statement in composed.statements] == [
        "unclear",
        "unclear",
        "further",
    ]


def test_a_mark_stands_for_the_lines_of_a_list_that_are_not_quoted(assistant: Assistant) -> None:
    catalogue = assistant.catalogue()
    passage = next(p for p in catalogue.passages.values() if lists_of(p))
    (run,) = lists_of(passage)
    lead, first, second, third, *_, last = run

    def lines(*sentences: Sentence) -> list[str]:
        quotes = [Quote(passage=passage, sentence=one, group=0) for one in sentences]
        composed = compose(quotes, catalogue)
        assert "".join(pieces_of(composed.text, composed.citations)) == composed.text
        return [line for line in composed.text.splitlines() if line]

    def line(number: int, sentence: Sentence) -> str:
        return f"{'- ' * sentence.is_item}{passage.sentence_text(sentence)} [{number}]"

    assert lines(*run) == [line(at, one) for at, one in enumerate(run, 1)]
    assert lines(lead, second) == [line(1, lead), OMITTED, line(2, second), OMITTED]
    two = [line(1, lead), line(2, first), OMITTED, line(3, third), OMITTED]
    assert lines(lead, first, third) == two
    assert lines(lead, last) == [line(1, lead), OMITTED, line(2, last)]
    # Without its lead-in, too, a line is told to be one of several.
    assert lines(second) == [line(1, second), OMITTED]


def test_what_may_answer_stands_by_likelihood_its_lead_in_before_it(assistant: Assistant) -> None:
    found, sentences = some_sentences(assistant, 2)
    with assistant.reader.lease() as index:
        ranked = candidates(found, weigh_in(index), index.catalogue)
    passage, run = next((c.passage, r) for c in ranked for r in lists_of(c.passage))
    lead, _, second, *_ = run
    of_list = {c.sentence: c for c in ranked if c.passage.id == passage.id}
    order = [of_list[second], sentences[0], of_list[lead]]
    scored = [replace(c, score=1.0 - at / 10) for at, c in enumerate(order)]
    quotes = choose([(found, scored, 5)], lambda *_: 0.0)
    assert set(standings(quotes)) == {"unclear"}
    assert [quote.sentence for quote in quotes] == [lead, second, sentences[0].sentence]


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
