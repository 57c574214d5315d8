"""Which sentences of the evidence answer: every one of them with a score.

Owns what a sentence's score is made of and how much each clue weighs. Knows nothing of
how many sentences are quoted, nor in which order they are read.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from assistant.expectations import defines, satisfies
from assistant.finding import Found
from assistant.leaning import leans, tells
from assistant.questions import Expect, Want
from assistant.reranking import ANTICIPATED
from corpus.documents import Passage, Sentence
from index.catalogue import Catalogue
from index.lexical import terms
from index.reader import OpenIndex
from index.retrieval import Hit, SentenceHit

WEIGHTS: Mapping[str, float] = {
    "meaning": 6.9,
    "place": 2.6,
    "behind": -5.3,
    "cover": 0.3,
    "expected": 2.2,
    "defines": 9.6,
    "announces": -1.4,
    "opens": -0.3,
    "item": 0.4,
    "leans": -1.1,
    "answers": 0.6,
}
"""How much each clue counts: a score is the logarithm of how likely a sentence is the one
asked for, up to a constant. Fitted on the development questions by `make weights`, a
conditional logit (McFadden 1974) over the sentences of each question's evidence."""


CLEAR = 2 / 3
"""The share of all likelihood above which it is clear what answers (see `is_clear`).

Twice as likely as all others together: with a half, one such answer in ten was wrong."""
# Where a reranker read it, its log odds must be this near to the highest, too: of the best
# sentences of which that is not so, a third are wrong.
BEHIND = 0.2


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A sentence that may be quoted: its score for one part, and the passage it stands in.

    `score` is one of likelihood (see `WEIGHTS`); `similarity` the cosine to the question,
    `asked` that of the nearest anticipated question that it answers; `expected` whether it
    holds the kind of thing that is asked for, where one is; `answers` the log odds that it
    answers, None where no reranker read it.
    """

    passage: Passage
    sentence: Sentence
    score: float
    similarity: float
    cover: float
    expected: bool
    asked: float = 0.0
    answers: float | None = None

    @property
    def text(self) -> str:
        """Its exact words."""
        return self.passage.sentence_text(self.sentence)

    def at_least(self, odds: float) -> bool:
        """Whether its log odds are not below `odds`, as far as they are known."""
        return self.answers is None or self.answers >= odds


def candidates(
    found: Found, weigh: Callable[[str], float], catalogue: Catalogue
) -> list[Candidate]:
    """Every sentence of the evidence of one part, the best first.

    `weigh` gives the weight of a term: rare ones weigh more.
    """
    scored = [
        Candidate(
            passage=hit.passage,
            sentence=best.sentence,
            score=sum(WEIGHTS[name] * value for name, value in clues.items()),
            similarity=best.score,
            cover=clues["cover"],
            expected=bool(clues["expected"]),
            asked=best.asked,
            answers=best.answers,
        )
        for hit, best, clues in clues_of(found, weigh, catalogue)
    ]
    return sorted(scored, key=lambda candidate: -candidate.score)


def most_likely(some: Iterable[Candidate]) -> float:
    """The highest log odds of some candidates; 0 where none was read."""
    return max((one.answers for one in some if one.answers is not None), default=0.0)


def is_clear(some: Sequence[Candidate], ranked: Sequence[Candidate]) -> bool:
    """Whether it is known that the sentence asked for is one of some of the ranked ones.

    The question was anticipated, and one of them answers that. Or it is likelier among them
    than elsewhere (their share of what the logit gives is above `CLEAR`), and one has the
    highest log odds, or nearly: on the development questions 94 in a hundred such answers were
    right.
    """
    if any(one.asked >= ANTICIPATED for one in some):
        return True
    highest = max(candidate.score for candidate in ranked)
    among = sum(math.exp(candidate.score - highest) for candidate in some)
    every = sum(math.exp(candidate.score - highest) for candidate in ranked)
    odds = most_likely(ranked) - BEHIND
    agreed = any(one.at_least(odds) for one in some)
    return among > CLEAR * every and agreed


def clues_of(
    found: Found, weigh: Callable[[str], float], catalogue: Catalogue
) -> Iterator[tuple[Hit, SentenceHit, dict[str, float]]]:
    """Each sentence of the evidence of one part, with what speaks for it (see `WEIGHTS`).

    Most clues go from 0 to 1: how near its meaning is, how early its passage was found and
    how far that is behind the first, the share of the question's words it has, whether it
    holds what is expected, how much it defines what is asked. `answers` are log odds.
    """
    part, best_score = found.part, found.best_score
    expects = part.expect is not Expect.ANYTHING
    own = set(terms(part.text))
    # The words of the question itself count in full, those of its topic by half.
    wanted = {
        term: weigh(term) * (1.0 if term in own or not part.topic else 0.5)
        for term in terms(found.query.text)
    }
    for hit in found.hits:
        passage = hit.passage
        title = catalogue.documents[passage.document_id].title
        around = set(terms(" ".join((title, *passage.heading))))
        for best in hit.best:
            text = passage.sentence_text(best.sentence)
            at = passage.sentences.index(best.sentence)
            yield (
                hit,
                best,
                {
                    # What a passage is asked counts for a sentence only where it is known which.
                    "meaning": max(best.score, best.asked if passage.pointed else 0.0),
                    "place": 1 / hit.rank,
                    "behind": best_score - hit.score,
                    "cover": _cover(wanted, set(terms(text)), around),
                    "expected": float(expects and satisfies(text, part.expect, part.text)),
                    "defines": defines(text, part.text) if part.want is Want.DEFINITION else 0.0,
                    "announces": float(not tells(passage, best.sentence)),
                    "opens": float(at == 0),
                    "item": float(best.sentence.is_item),
                    "leans": float(leans(passage, at)),
                    "answers": best.answers or 0.0,
                },
            )


def weigh_in(index: OpenIndex) -> Callable[[str], float]:
    """The weight of a term: BM25's inverse document frequency (Robertson and Zaragoza 2009)."""
    lexical, count = index.lexical, len(index.catalogue.passages)
    return lambda term: math.log(1 + (count + 0.5) / (lexical.frequency(term) + 0.5))


def _cover(wanted: Mapping[str, float], own: set[str], around: set[str]) -> float:
    """The share (0…1, by weight) of the question's terms in the sentence; half for its headings."""
    total = sum(wanted.values())
    if not total:
        return 0.0
    got = sum(
        weight * (1.0 if term in own else 0.5 if term in around else 0.0)
        for term, weight in wanted.items()
    )
    return got / total
