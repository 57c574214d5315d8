"""Fit the weights of the clues of passages and of sentences to the development questions.

Run by `make weights`, which prints them; not a test. The development questions are those of
`questions.jsonl` whose ids begin with `a-`; the others are held out, and only scored.
"""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from assistant.composition import build_assistant
from assistant.finding import Found
from assistant.questions import clean_question
from assistant.questions_file import Question, load_questions
from assistant.ranking import WEIGHTS, clues_of, weigh_in
from assistant.scoring import Place, holds, locate
from assistant.understanding import Asked, read
from corpus.documents import Passage, Sentence
from index.relevance import ASKED, BESIDE
from index.retrieval import Filters, Retriever

TYPES = {"fact", "definition", "list", "followup", "multi", "compare"}
RIDGE = 0.02
"""Keeps weights of clues that rarely occur small; 0.005 to 0.03 made no difference."""

CUTOFFS = (1, 3, 5)
OF_PASSAGES = {**ASKED, **BESIDE}

Case = tuple[np.ndarray, np.ndarray]
"""The clues of each passage or sentence of a question's, and whether it is a right one."""


def is_gold(passage: Passage, sentence: Sentence, places: Iterable[Place | None]) -> bool:
    """Whether a sentence is most of a gold quotation, or the other way round."""
    for place in places:
        if place and not place.notice and place.document_id == passage.document_id:
            shared = min(sentence.end, place.end) - max(sentence.start, place.start)
            if 2 * shared > min(sentence.end - sentence.start, place.end - place.start):
                return True
    return False


def passage_case(retriever: Retriever, found: Found, places: Sequence[Place | None]) -> Case:
    """All candidates for a part of a question, and which of them hold the answer."""
    candidates = retriever.candidates(found.query)
    return (
        np.array([[clues[name] for name in OF_PASSAGES] for _, clues in candidates]),
        np.array(
            [any(place and holds(one.passage, place) for place in places) for one, _ in candidates]
        ),
    )


def sentence_case(retriever: Retriever, found: Found, places: Sequence[Place | None]) -> Case:
    """All sentences of the evidence for a part of a question, and which of them answer."""
    index = retriever.index
    clues = list(clues_of(found, weigh_in(index), index.catalogue))
    return (
        np.array([[told[name] for name in WEIGHTS] for _, _, told in clues]),
        np.array([is_gold(hit.passage, best.sentence, places) for hit, best, _ in clues]),
    )


def cases(questions: Sequence[Question], case: Callable[..., Case]) -> list[Case]:
    """A case for each part of a question that has a right passage or sentence."""
    assistant = build_assistant()
    made = []
    with assistant.reader.lease() as index:
        finder, retriever = assistant.finder(index), Retriever(index, assistant.embedder)
        for question in questions:
            places = [locate(gold, index.catalogue.documents) for gold in question.gold]
            cleaned = clean_question(question.question)
            asked = Asked(question=cleaned, turns=question.turns, filters=Filters())
            for found in finder.find(read(asked, finder).question, Filters(), 8):
                values, right = case(retriever, found, places)
                if right.any():
                    made.append((values, right))
    return made


def fitted(of_questions: Sequence[Case]) -> np.ndarray:
    """The weights under which the right sentences are most likely (a conditional logit)."""
    spread = np.vstack([values for values, _ in of_questions]).std(axis=0) + 1e-9

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        total, slope = 0.0, np.zeros_like(weights)
        for values, right in of_questions:
            scores = (values / spread) @ weights
            likely = np.exp(scores - scores.max())
            of_all, of_right = likely / likely.sum(), likely * right / (likely * right).sum()
            total -= float(np.log((of_all * right).sum()))
            slope -= (of_right - of_all) @ (values / spread)
        count = len(of_questions)
        return total / count + RIDGE * weights @ weights, slope / count + 2 * RIDGE * weights

    return minimize(loss, np.zeros(len(spread)), jac=True, method="L-BFGS-B").x / spread


def shares(of_questions: Sequence[Case], weights: np.ndarray) -> str:
    """How often a right sentence is among the first ones."""
    firsts = np.array(
        [right[np.argsort(-(values @ weights), kind="stable")].argmax()
         for values, right in of_questions]
    )  # fmt: skip
    return ", ".join(f"in the first {n}: {(firsts < n).mean():.2f}" for n in CUTOFFS)


def show(
    questions: Sequence[Question],
    in_use: Mapping[str, float],
    case: Callable[..., Case],
    scaled: int = 0,
) -> None:
    """Fit, and print the weights with what they and those in use achieve.

    The first `scaled` of them add up to 1.
    """
    development = cases([q for q in questions if q.id.startswith("a-")], case)
    held_out = cases([q for q in questions if not q.id.startswith("a-")], case)
    weights = fitted(development)
    if scaled:
        weights /= weights[:scaled].sum()
    for name, value in zip(in_use, weights, strict=True):
        print(f"{name:15} {value:6.2f}   in use {in_use[name]:6.2f}")
    for name, chosen in (("fitted", weights), ("in use", np.array(list(in_use.values())))):
        print(f"{name}: development: {shares(development, chosen)}")
        print(f"{name}: held out: {shares(held_out, chosen)}")


def main(path: Path) -> None:
    """Fit the weights of passages, then those of sentences with the passages' in use."""
    questions = [q for q in load_questions(path) if q.expect == "answer" and q.type in TYPES]
    print("Passages")
    show(questions, OF_PASSAGES, passage_case, scaled=len(ASKED))
    print("Sentences")
    show(questions, WEIGHTS, sentence_case)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
