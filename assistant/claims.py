"""What a sentence claims: text in, its numbers, dates, names, opposites and negations out.

Owns how names, opposites and negations are recognised in English, and where each claim stands
among the words. Knows nothing of statements, of passages or of what agrees with what.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from assistant.figures import NUMERALS, Date, Word, dates_of, numbers_of, plain, words_of
from assistant.opposites import (
    CLAUSE_ENDS,
    COMMON_NAMES,
    DOUBTS,
    NEGATING_PAIRS,
    NEGATORS,
    NOT_NAMES,
    OPPOSITES,
    SILENT_NEGATORS,
    WORD_PAIRS,
)
from index.lexical import terms

_DENY_SUBJECTS = frozenset(("no", "neither", "nor", "nobody", "none"))
_SENTENCE_ENDS = frozenset(".;:\n")
_LIST_REACH = 8
_MOST_DENIED = 9
_MOST_BEFORE = 3


class Kind(StrEnum):
    """What sort of thing is claimed."""

    NUMBER = "number"
    DATE = "date"
    NAME = "name"
    OPPOSITE = "opposite"


@dataclass(frozen=True)
class Fact:
    """One claim, and the place of its first word.

    By its kind: `number` as `figures` writes it; `date`; `name` word by word, in lower case, and
    whether it `opens` a sentence, where any word is capital, or is `common` ("Court"); `pair` of
    opposites and its `side`.
    """

    kind: Kind
    place: int
    number: str = ""
    date: Date | None = None
    name: tuple[str, ...] = ()
    opens: bool = False
    common: bool = False
    pair: int = -1
    side: int = 0


@dataclass(frozen=True)
class Negation:
    """A word that denies, and the places of the words it denies, the nearest first.

    `before` are the places of what it is denied of: "corruption was not covered".
    `silent`: it denies by its meaning ("lacks", "refuses"), which a text may also say otherwise.
    `doubted`: it denies nothing, but says that others hold it so ("accuses", "often taken for").
    """

    place: int
    denied: tuple[int, ...]
    before: tuple[int, ...]
    silent: bool
    doubted: bool = False


@dataclass(frozen=True)
class Claims:
    """A text word by word. `stems` holds the stem of each word, empty for little words."""

    words: tuple[str, ...]
    stems: tuple[str, ...]
    facts: tuple[Fact, ...]
    negations: tuple[Negation, ...]

    def of(self, kind: Kind) -> list[Fact]:
        """The facts of one kind, in order."""
        return [fact for fact in self.facts if fact.kind is kind]


@lru_cache(maxsize=4096)
def claims_of(text: str) -> Claims:
    """All that `text` claims, as far as rules see it."""
    words = list(words_of(plain(text)))
    stems = tuple(_stem(word) for word in words)
    facts = [
        *(Fact(Kind.DATE, place, date=date) for place, date in dates_of(words)),
        *(Fact(Kind.NUMBER, place, number=number) for place, number in numbers_of(words)),
        *_names(words),
        *_opposites(words),
    ]
    return Claims(
        words=tuple(word.lower for word in words),
        stems=stems,
        facts=tuple(sorted(facts, key=lambda fact: fact.place)),
        negations=tuple(_negations(words, stems)),
    )


def _stem(word: Word) -> str:
    if word.shape != "word" or word.lower in NOT_NAMES - COMMON_NAMES:
        return ""
    found = terms(word.text.replace("'s", ""))
    return WORD_PAIRS.get(found[0], found[0]) if found else ""


def _names(words: Sequence[Word]) -> Iterator[Fact]:
    """Runs of capitalised words; common nouns in capitals ("the Council") are none by themselves.

    A word that opens a sentence counts where its shape can only be a name's.
    """
    at = 0
    while at < len(words):
        run = at
        while run < len(words) and _is_capital(words[run]) and not (run > at and words[run].opens):
            run += 1
        if run == at:
            at += 1
            continue
        start = at
        first = words[at]
        if first.opens and (first.lower in NOT_NAMES or first.lower in NUMERALS):
            start += 1
        value = tuple(_bare(word) for word in words[start:run])
        single = len(value) == 1
        is_numeral = single and re.fullmatch("[IVXL]+", words[start].text)
        if value and not is_numeral:
            common = single and value[0] in COMMON_NAMES
            opens = first.opens and single and start == at
            yield Fact(Kind.NAME, start, name=value, opens=opens, common=common)
        at = run


def _is_capital(word: Word) -> bool:
    return word.shape == "word" and word.text[:1].isupper()


def _bare(word: Word) -> str:
    text = word.text.removesuffix("'s").removesuffix("'")
    is_plural = text.endswith("s") and len(text) > 2 and text[:-1].isupper()
    return (text[:-1] if is_plural else text).lower()


def _opposites(words: Sequence[Word]) -> Iterator[Fact]:
    for place, word in enumerate(words):
        for pair, side in OPPOSITES.get(word.lower, ()):
            yield Fact(Kind.OPPOSITE, place, pair=pair, side=side)
        if word.lower == "most":
            like = _like_most(words, place)
            for pair, side in OPPOSITES.get(like, ()):
                yield Fact(Kind.OPPOSITE, place, pair=pair, side=side)


def _like_most(words: Sequence[Word], place: int) -> str:
    """What "most" means here: a limit ("at most"), a part ("most states"), or neither."""
    before = words[place - 1].lower if place else ""
    after = words[place + 1].lower if place + 1 < len(words) else ""
    if before == "at":
        return "maximum"
    return "many" if before != "the" and (after == "of" or after.endswith("s")) else ""


def _negations(words: Sequence[Word], stems: tuple[str, ...]) -> Iterator[Negation]:
    for place, word in enumerate(words):
        paired = place + 1 < len(words) and (word.lower, words[place + 1].lower) in NEGATING_PAIRS
        loud = paired or word.lower in NEGATORS or word.lower.endswith("n't")
        doubted = word.lower in DOUBTS
        if not loud and not doubted and word.lower not in SILENT_NEGATORS:
            continue
        ends = _scope_ends(words, place)
        denied: list[int] = []
        for at in range(place + 1 + paired, len(words)):
            if len(denied) == _MOST_DENIED or words[at].lower in ends:
                break
            if stems[at]:
                denied.append(at)
        before: list[int] = []
        for at in range(place - 1, -1, -1):
            if len(before) == _MOST_BEFORE or words[at].lower in CLAUSE_ENDS:
                break
            if stems[at]:
                before.append(at)
        yield Negation(
            place=place,
            denied=tuple(denied),
            before=tuple(before),
            silent=not loud,
            doubted=doubted,
        )


def _scope_ends(words: Sequence[Word], place: int) -> frozenset[str]:
    """The words at which a denial ends: commas too, unless it denies a list."""
    if words[place].lower in _DENY_SUBJECTS:
        return _SENTENCE_ENDS
    for at in range(place + 1, min(len(words), place + _LIST_REACH)):
        if words[at].lower in CLAUSE_ENDS - {","}:
            break
        if words[at].lower in ("or", "nor"):
            return CLAUSE_ENDS - {","}
    return CLAUSE_ENDS
