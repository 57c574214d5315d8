"""Where sources differ on a fact: both sides, each quoted.

Owns how the differences that documents state, from one another or between what they retell and
what other sources add, are found in their passages, and when an answer has to show one. Knows
nothing of how they look.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from assistant.leaning import tells
from assistant.quoting import Quote, by_standing
from assistant.ranking import Candidate
from assistant.standing import Standing
from corpus.documents import Document, Passage, Sentence
from index.catalogue import Catalogue

# A side that stands beside what may answer is shown too if it is this near to the question.
NEAR_QUESTION = 0.55
# Where both sides were found and each is this near, the question is about what differs.
BOTH_NEAR = 0.6
# And where one is so likely to answer (log odds), whatever else is quoted, and somewhat near.
ANSWERS = 0.5
ABOUT = 0.45

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Side:
    """The words of one document on a fact, and the passage they stand in."""

    passage: Passage
    sentence: Sentence

    def holds(self, quote: Quote) -> bool:
        """Whether `quote` is of these words, or a part of them."""
        same = quote.passage.document_id == self.passage.document_id
        return same and self.overlaps(quote.sentence)

    def overlaps(self, sentence: Sentence) -> bool:
        """Whether a sentence of the same document has some of these words."""
        return sentence.start < self.sentence.end and self.sentence.start < sentence.end


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """A fact on which two documents differ, or one retells what it then corrects."""

    about: str
    sides: tuple[Side, Side]

    @property
    def within_one(self) -> bool:
        """Whether both sides stand in one document."""
        return len({side.passage.document_id for side in self.sides}) == 1

    def repeats(self, other: "Conflict") -> bool:
        """Whether `other` is about the same thing, and has a side of this one."""
        return self.about == other.about and bool(set(self.sides) & set(other.sides))


@lru_cache(maxsize=2)
def conflicts(catalogue: Catalogue) -> tuple[Conflict, ...]:
    """Every stated difference of the library whose two sides stand in passages.

    One that can't be found is left out and logged: validation reports it.
    """
    found = []
    for document in catalogue.documents.values():
        for stated in document.differences:
            here = locate(catalogue, document, stated.here)
            other = named_document(catalogue, stated.document)
            there = locate(catalogue, other, stated.there) if other else None
            if here is None or there is None:
                _log.warning("a difference stated in %s was not found", document.path)
                continue
            found.append(Conflict(about=stated.about, sides=(here, there)))
    return tuple(found)


def named_document(catalogue: Catalogue, name: str) -> Document | None:
    """The document called `name`: a path in the library, or a file's name."""
    for document in catalogue.documents.values():
        if name in (document.path, document.path.rsplit("/", 1)[-1]):
            return document
    return None


def locate(catalogue: Catalogue, document: Document, words: str) -> Side | None:
    """Where `words` stand in the passages of `document`; None if nowhere."""
    for passage in catalogue.passages_of(document.id):
        at = passage.text.find(words)
        if at >= 0:
            start = passage.start + at
            return Side(passage=passage, sentence=Sentence(start=start, end=start + len(words)))
    return None


def shown(
    quotes: Sequence[Quote], catalogue: Catalogue, candidates: Sequence[Candidate]
) -> tuple[Conflict, ...]:
    """The differences that an answer made of `quotes` has to show; what is set apart asks for none.

    Those one side of which is the answer. Where it is not clear what answers, also those one
    side of which is the first that may, or may and is somewhat near the question, or stands in
    a quoted passage and is near it, or both sides of which are near.
    `candidates` are the sentences found for the question. Of several about the same thing
    with a side in common, one: that of which more is told, else one between two documents.
    """
    clues = _Clues(quotes, candidates)
    due = [
        conflict
        for conflict in conflicts(catalogue)
        if any(map(clues.tell, conflict.sides)) or clues.are_beside(conflict)
    ]
    due.sort(key=lambda one: (-sum(map(clues.tell, one.sides)), one.within_one))
    return without_repeats(due)


def without_repeats(due: Sequence[Conflict]) -> tuple[Conflict, ...]:
    """Of differences on the same thing with a side in common, the first."""
    return tuple(one for at, one in enumerate(due) if not any(map(one.repeats, due[:at])))


class _Clues:
    """What is quoted and found for a question, looked up by the side of a difference."""

    def __init__(self, quotes: Sequence[Quote], candidates: Sequence[Candidate]) -> None:
        self.unclear = [quote for quote in quotes if quote.standing is Standing.UNCLEAR]
        firsts: dict[int, Quote] = {}
        for quote in self.unclear:
            if tells(quote.passage, quote.sentence):
                firsts.setdefault(quote.group, quote)
        self.answer = [quote for quote in quotes if quote.standing is Standing.ANSWER]
        self.is_unclear = bool(self.unclear) or not self.answer
        self.answer += firsts.values()
        self._quoted = {quote.passage.id for quote in (*self.answer, *self.unclear)}
        self._found: dict[str, list[Candidate]] = {}
        for candidate in candidates:
            self._found.setdefault(candidate.passage.id, []).append(candidate)

    def tell(self, side: Side) -> bool:
        """Whether a side is the answer, or may be."""
        if any(side.holds(quote) for quote in self.answer):
            return True
        odds = (one.answers for one in self._of(side) if one.answers is not None)
        may = any(one >= ANSWERS for one in odds) or any(map(side.holds, self.unclear))
        return self.is_unclear and may and self._near(side, ABOUT)

    def are_beside(self, conflict: Conflict) -> bool:
        """Whether the sides of a difference are near the question, and what may answer it."""
        if not self.is_unclear:
            return False
        beside = (side for side in conflict.sides if side.passage.id in self._quoted)
        return any(self._near(side, NEAR_QUESTION) for side in beside) or all(
            self._near(side, BOTH_NEAR) for side in conflict.sides
        )

    def _of(self, side: Side) -> list[Candidate]:
        of_passage = self._found.get(side.passage.id, ())
        return [one for one in of_passage if side.overlaps(one.sentence)]

    def _near(self, side: Side, least: float) -> bool:
        return any(one.similarity >= least for one in self._of(side))


def with_both_sides(
    quotes: Sequence[Quote], shown_conflicts: Sequence[Conflict]
) -> tuple[tuple[Quote, ...], tuple[tuple[str, tuple[int, ...]], ...]]:
    """The quotes with the missing sides added, and for each difference the numbers of both.

    Each difference added is a group, so a paragraph, of its own; a side is never set apart.
    """
    every = list(quotes)
    unclear = any(quote.standing is Standing.UNCLEAR for quote in quotes)
    for conflict in shown_conflicts:
        sides = [next((q for q in every if side.holds(q)), None) for side in conflict.sides]
        known = any(q.standing is Standing.ANSWER for q in sides if q)
        standing = Standing.ANSWER if known or not unclear else Standing.UNCLEAR
        group = max((quote.group for quote in every), default=-1) + 1
        for side, quote in zip(conflict.sides, sides, strict=True):
            if quote is not None and quote.standing in (standing, Standing.ANSWER):
                continue
            if quote is not None:
                every.remove(quote)
            added = Quote(passage=side.passage, sentence=side.sentence, group=group)
            every.append(replace(quote or added, group=group, standing=standing))
    answer = by_standing(every)

    def number(side: Side) -> int:
        return next(at for at, quote in enumerate(answer, 1) if side.holds(quote))

    numbered = tuple(
        (conflict.about, tuple(sorted(number(side) for side in conflict.sides)))
        for conflict in shown_conflicts
    )
    return answer, numbered
