"""Fit the weights of a sentence's clues to the development questions, and print them.

Run by `make weights`; not a test. The development questions are those of `questions.jsonl`
whose ids begin with `a-`; the others are held out, and only scored.
"""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from assistant.composition import build_assistant
from assistant.questions import clean_question
from assistant.questions_file import Question, load_questions
from assistant.ranking import WEIGHTS, clues_of, weigh_in
from assistant.scoring import Place, locate
from assistant.understanding import Asked, read
from corpus.documents import Passage, Sentence
from index.retrieval import Filters

TYPES = {"fact", "definition", "list", "followup", "multi", "compare"}
RIDGE = 0.02
"""Keeps weights of clues that rarely occur small; 0.005 to 0.03 made no difference."""

CUTOFFS = (1, 3, 5)

Case = tuple[np.ndarray, np.ndarray]
"""The clues of each sentence of a question's evidence, and whether it is a right one."""


def is_gold(passage: Passage, sentence: Sentence, places: Iterable[Place | None]) -> bool:
    """Whether a sentence is most of a gold quotation, or the other way round."""
    for place in places:
        if place and not place.notice and place.document_id == passage.document_id:
            shared = min(sentence.end, place.end) - max(sentence.start, place.start)
            if 2 * shared > min(sentence.end - sentence.start, place.end - place.start):
                return True
    return False


def cases(questions: Sequence[Question]) -> list[Case]:
    """A case for each part of a question whose evidence holds a right sentence."""
    assistant = build_assistant()
    made = []
    with assistant.reader.lease() as index:
        finder = assistant.finder(index)
        for question in questions:
            places = [locate(gold, index.catalogue.documents) for gold in question.gold]
            cleaned = clean_question(question.question)
            asked = Asked(question=cleaned, turns=question.turns, filters=Filters())
            for found in finder.find(read(asked, finder).question, Filters(), 8):
                clues = list(clues_of(found, weigh_in(index), index.catalogue))
                values = np.array([[told[name] for name in WEIGHTS] for _, _, told in clues])
                right = np.array(
                    [is_gold(hit.passage, best.sentence, places) for hit, best, _ in clues]
                )
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

    return minimize(loss, np.zeros(len(WEIGHTS)), jac=True, method="L-BFGS-B").x / spread


def shares(of_questions: Sequence[Case], weights: np.ndarray) -> str:
    """How often a right sentence is among the first ones."""
    firsts = np.array(
        [right[np.argsort(-(values @ weights), kind="stable")].argmax()
         for values, right in of_questions]
    )  # fmt: skip
    return ", ".join(f"in the first {n}: {(firsts < n).mean():.2f}" for n in CUTOFFS)


def main(path: Path) -> None:
    """Fit, and print the weights with what they and those in use achieve."""
    questions = [q for q in load_questions(path) if q.expect == "answer" and q.type in TYPES]
    development = cases([q for q in questions if q.id.startswith("a-")])
    held_out = cases([q for q in questions if not q.id.startswith("a-")])
    weights = fitted(development)
    for name, value in zip(WEIGHTS, weights, strict=True):
        print(f"{name:10} {value:6.1f}   in use {WEIGHTS[name]:6.1f}")
    for name, chosen in (("fitted", weights), ("in use", np.array(list(WEIGHTS.values())))):
        print(f"{name}: development: {shares(development, chosen)}")
        print(f"{name}: held out: {shares(held_out, chosen)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
