"""How good the answers are: questions with their right answers in, figures out.

Owns the run, the figures and the plain dense retriever that they are held against.
Knows nothing of how figures are shown.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np

from assistant.answers import Answer, Turn
from assistant.questions_file import Question
from assistant.scoring import (
    Ranked,
    comparable,
    exact_quotes,
    file_words,
    found_at,
    locate,
    missing_from,
    passage_text,
    shown_text,
)
from index.catalogue import Catalogue
from index.retrieval import Hit

CUTOFFS = (1, 3, 5, 10)
DEPTH = max(CUTOFFS)

Progress = Callable[[str, int, int], None]


class Encoder(Protocol):
    """What turns texts into unit vectors, one row a text."""

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """The vectors of texts, in their order."""


class Asker(Protocol):
    """What answers, and what finds for it: the assistant."""

    def answer(self, question: str, turns: Sequence[Turn]) -> Answer:
        """The whole answer to a question after the turns before it."""

    def find(self, question: str, turns: Sequence[Turn], limit: int) -> Sequence[Hit]:
        """The passages that an answer would be made of, best first."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One question as one retriever and one way of answering did it.

    `rank` is where the gold was found (from 1), None when it was not within `DEPTH` or
    there is none to find. `score` is the similarity of the first passage. `missing` holds
    what a right answer would have said; `unlocated` the gold that the library does not hold;
    `at_once` whether it is right without the quotations that are set apart.
    """

    question: Question
    ranked: tuple[Ranked, ...]
    rank: int | None
    score: float
    answered: bool
    right: bool
    at_once: bool = False
    missing: tuple[tuple[str, ...], ...] = ()
    unlocated: tuple[str, ...] = ()
    answer: Answer | None = None
    exact: tuple[bool, ...] = ()

    @property
    def certain(self) -> bool:
        """Whether there is an answer of ours, and it says which quotations answer."""
        return self.answer is not None and self.answer.certain


@dataclass(frozen=True, kw_only=True)
class Figures:
    """The figures of a set of trials; a share is None where nothing was to be counted.

    `recall` by cut-off; `mrr` the mean of 1/rank within `DEPTH`; `accuracy` of the questions
    to be answered, `at_once` without what is set apart in the answers; `certain` the share of
    their answers that say which quotations answer, `certain_right` of those right at once;
    precision and recall of abstention; `exact` the share of exact quotes.
    """

    questions: int
    to_find: int
    recall: Mapping[int, float | None]
    mrr: float | None
    to_answer: int
    accuracy: float | None
    at_once: float | None
    certain: float | None
    certain_right: float | None
    to_refuse: int
    abstained: int
    abstention_precision: float | None
    abstention_recall: float | None
    quotes: int
    exact: float | None
    right: int


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """All trials of one run: ours and the plain dense retriever's, in the order asked.

    `threshold` is the plain retriever's, below which it is taken to abstain.
    """

    ours: tuple[Trial, ...]
    dense: tuple[Trial, ...]
    threshold: float

    @property
    def types(self) -> tuple[str, ...]:
        """The types of question, in the order of the file."""
        return tuple(dict.fromkeys(trial.question.type for trial in self.ours))


class PlainDense:
    """The plain dense retriever: cosine of the question and each passage's bare text, exact."""

    def __init__(self, catalogue: Catalogue, encoder: Encoder) -> None:
        self.catalogue = catalogue
        self._passages = tuple(catalogue.passages.values())
        self._encoder = encoder
        self._matrix = encoder.encode([passage.text for passage in self._passages])

    def retrieve(self, question: str, limit: int = DEPTH) -> tuple[Ranked, ...]:
        """The nearest passages, best first."""
        scores = self._matrix @ self._encoder.encode([question])[0]
        order = np.argsort(-scores, kind="stable")[:limit]
        return tuple(
            Ranked(passage=self._passages[i], score=float(max(scores[i], 0.0))) for i in order
        )


def assess(
    question: Question,
    answer: Answer,
    hits: Sequence[Hit],
    catalogue: Catalogue,
    words: Callable[[str], str | None],
) -> Trial:
    """Score our own answer and the passages found for it."""
    places = [locate(gold, catalogue.documents) for gold in question.gold]
    ranked = tuple(Ranked(passage=hit.passage, score=hit.score) for hit in hits)
    said = shown_text(answer, places)
    missing = missing_from(said, question)
    forbidden = any(
        comparable(wording).lower() in comparable(said).lower()
        for wording in question.must_not_include
    )
    refused = question.expect == "abstain"
    right = not answer.answered if refused else answer.answered and not missing and not forbidden
    first = shown_text(answer, places, set_apart=False)
    return Trial(
        question=question,
        ranked=ranked,
        rank=found_at(ranked, places, question.gold_mode),
        score=ranked[0].score if ranked else 0.0,
        answered=answer.answered,
        right=right,
        at_once=right and (refused or not missing_from(first, question)),
        missing=() if refused else missing,
        unlocated=tuple(
            gold.quote for gold, place in zip(question.gold, places, strict=True) if place is None
        ),
        answer=answer,
        exact=exact_quotes(answer, words),
    )


def assess_dense(
    question: Question, ranked: tuple[Ranked, ...], catalogue: Catalogue, threshold: float
) -> Trial:
    """Score the plain retriever: its answer is its first passage, whole.

    It answers when that passage is at least as near as `threshold`.
    """
    places = [locate(gold, catalogue.documents) for gold in question.gold]
    first = ranked[0] if ranked else None
    said = passage_text(first.passage, catalogue.documents, places) if first else ""
    missing = missing_from(said, question)
    score = first.score if first else 0.0
    answered = score >= threshold
    refused = question.expect == "abstain"
    return Trial(
        question=question,
        ranked=ranked,
        rank=found_at(ranked, places, question.gold_mode),
        score=score,
        answered=answered,
        right=not answered if refused else not missing,
        missing=() if refused else missing,
    )


def best_threshold(scores: Sequence[tuple[float, bool]]) -> float:
    """The score below which to abstain that gives the best F1 of abstention on these very pairs.

    `scores` pairs a question's score with whether it is to be answered. Chosen on the
    questions it is judged by, so what it gives is an upper bound.
    """

    def f1(threshold: float) -> float:
        caught = sum(score < threshold and not good for score, good in scores)
        wrong = sum(score < threshold and good for score, good in scores)
        missed = sum(score >= threshold and not good for score, good in scores)
        return 2 * caught / (2 * caught + wrong + missed) if caught else 0.0

    candidates = [0.0, *(math.nextafter(score, 2.0) for score, _ in scores)]
    return max(candidates, key=f1)


def figures(trials: Sequence[Trial]) -> Figures:
    """The figures of a set of trials: a type's, or all."""
    to_find = [trial for trial in trials if trial.question.gold]
    to_answer = [trial for trial in trials if trial.question.expect == "answer"]
    to_refuse = [trial for trial in trials if trial.question.expect == "abstain"]
    abstained = [trial for trial in trials if not trial.answered]
    given = [trial for trial in to_answer if trial.answered and trial.answer is not None]
    certain = [trial for trial in given if trial.certain]
    refused_well = sum(trial.question.expect == "abstain" for trial in abstained)
    quotes = [exact for trial in trials for exact in trial.exact]
    ranks = [trial.rank or math.inf for trial in to_find]
    return Figures(
        questions=len(trials),
        to_find=len(to_find),
        recall={k: _share(sum(rank <= k for rank in ranks), len(ranks)) for k in CUTOFFS},
        mrr=_share(sum(1 / rank for rank in ranks), len(ranks)),
        to_answer=len(to_answer),
        accuracy=_share(sum(trial.right for trial in to_answer), len(to_answer)),
        at_once=_share(sum(trial.at_once for trial in to_answer), len(to_answer)),
        certain=_share(len(certain), len(given)),
        certain_right=_share(sum(trial.at_once for trial in certain), len(certain)),
        to_refuse=len(to_refuse),
        abstained=len(abstained),
        abstention_precision=_share(refused_well, len(abstained)),
        abstention_recall=_share(refused_well, len(to_refuse)),
        quotes=len(quotes),
        exact=_share(sum(quotes), len(quotes)),
        right=sum(trial.right for trial in trials),
    )


def evaluate(
    questions: Sequence[Question],
    asker: Asker,
    plain: PlainDense,
    library: Path,
    progress: Progress,
) -> Evaluation:
    """Ask every question and score it, and the plain dense retriever beside it.

    The plain one searches for the self-contained question that ours made of a follow-up,
    so that it is not beaten for want of one.
    """
    words = cache(lambda path: file_words(library / path))
    ours: list[Trial] = []
    found: list[tuple[Ranked, ...]] = []
    for number, question in enumerate(questions):
        progress("Asking", number, len(questions))
        answer = asker.answer(question.question, question.turns)
        hits = asker.find(question.question, question.turns, DEPTH)
        ours.append(assess(question, answer, hits, plain.catalogue, words))
        found.append(plain.retrieve(answer.standalone_question))
    progress("Asking", len(questions), len(questions))
    pairs = list(zip(questions, found, strict=True))
    threshold = best_threshold(
        [(ranked[0].score, question.expect == "answer") for question, ranked in pairs]
    )
    dense = [
        assess_dense(question, ranked, plain.catalogue, threshold) for question, ranked in pairs
    ]
    return Evaluation(ours=tuple(ours), dense=tuple(dense), threshold=threshold)


def _share(part: float, whole: int) -> float | None:
    return part / whole if whole else None
