"""Whether two texts claim the same facts: the claims of a statement and of a source, a flaw out.

Owns what counts as agreement of numbers, dates, names, opposites and negations, wherever each
stands among its words. Knows nothing of meaning, of vectors or of passages.
"""

from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise

from assistant.alignment import alike, around, fits, holds, overlap, within
from assistant.claims import Claims, Fact, Kind, Negation, claims_of
from assistant.expectations import countries
from assistant.modality import degrees_agree
from assistant.opposites import CLAUSE_ENDS, EXCEPTIONS, NEGATORS, STRONG_NEGATORS

LENT = 1.2
"""A name is not lent by a heading if another name of the source fits its place so well."""
MOSTLY = 0.6
"""The share of a statement's words that, denied in the source, make it deny the statement."""
_ABOVE = frozenset(str.split("more over above least exceeding beyond"))
_BELOW = frozenset(str.split("most less fewer under below up maximum"))
_EXCEPTING = EXCEPTIONS | frozenset(
    str.split("only unless apart other than alone excluded limited")
)
_DOUBLING = (NEGATORS | STRONG_NEGATORS) - frozenset(str.split("neither nor instead rather"))
_DOUBLED_WITHIN = 10
_RATHER = frozenset(("instead", "rather"))
_CONTRASTS = frozenset(str.split("while whereas but although though unlike"))
_LIMITS = frozenset(str.split("to for by if when with in on from at of the a an"))
_UP_TO = frozenset(str.split("until till to before by"))
_ONE = frozenset(("once", "single", "one", "a"))
_CONDITIONS = frozenset(str.split("only if unless except provided where when require requires"))
_WIDE = frozenset(str.split("all every always everyone"))
_WIDE_THERE = _WIDE | frozenset(str.split("each any both whole entire no none unanimously"))
_NARROW = frozenset(str.split("only solely exclusively"))
_NARROW_THERE = frozenset(str.split("only alone just solely exclusively"))


class Flaw(StrEnum):
    """In which way two texts disagree."""

    NUMBER = "number"
    DATE = "date"
    NAME = "name"
    NEGATION = "negation"


def flaw_of(statement: str, source: str, context: str) -> Flaw | None:
    """The first way in which `statement` claims what `source` doesn't; None if there is none.

    `context` is the title and the headings above the source: they may lend a name, a number or
    a date that the source leaves out.
    """
    said, held, above = claims_of(statement), claims_of(source), claims_of(context)
    if not _numbers_agree(said, held, above):
        return Flaw.NUMBER
    if not _dates_agree(said, held, above):
        return Flaw.DATE
    if not _names_agree(said, held, above):
        return Flaw.NAME
    if not (
        _opposites_agree(said, held)
        and _negations_agree(said, held)
        and degrees_agree(said, held)
        and not _adds_exception(said, held)
        and (_doubles(held) or not _doubles(said))
    ):
        return Flaw.NEGATION
    return None


def figures_agree(statement: str, source: str) -> bool:
    """Whether every figure of `statement` stands in `source`: all that holds across languages."""
    said, held = claims_of(statement), claims_of(source)
    theirs = set(held.words)
    theirs |= {fact.number.rstrip("%") for fact in held.of(Kind.NUMBER)}
    theirs |= {str(fact.date.year) for fact in held.of(Kind.DATE) if fact.date}
    mine = {fact.number.rstrip("%") for fact in said.of(Kind.NUMBER)}
    mine |= {str(f.date.year) for f in said.of(Kind.DATE) if f.date and f.date.year}
    return mine <= theirs


def _numbers_agree(said: Claims, held: Claims, context: Claims) -> bool:
    others = held.of(Kind.NUMBER)
    lent = {fact.number for fact in context.of(Kind.NUMBER)}
    for fact in said.of(Kind.NUMBER):
        same = [other for other in others if other.number == fact.number]
        if any(_bound(said, fact) * _bound(held, other) < 0 for other in same):
            return False
        if not same:
            if fact.number in lent or (fact.number == "1" and _ONE & set(held.words)):
                continue
            if fact.number == "2" and "both" in held.words:
                continue
            return False
        if not fits(said, fact, held, same, others):
            return False
    return True


def _bound(claims: Claims, fact: Fact) -> int:
    """Whether a number is the least (1: "more than 5") or the most (-1: "up to 5") or exact (0)."""
    words = set(claims.words[max(0, fact.place - 3) : fact.place])
    bound = bool(words & _ABOVE) - bool(words & _BELOW)
    earlier = set(claims.words[max(0, fact.place - 6) : fact.place])
    return -bound if earlier & {"not", "no", "never", "cannot", "nobody"} else bound


def _limits_number(claims: Claims, place: int) -> bool:
    """Whether a denial only sets a limit, which the numbers' own check compares: "not over 5"."""
    return any(
        place < fact.place <= place + 6
        and _bound(claims, fact)
        and claims.words[fact.place] != "one"
        for fact in claims.of(Kind.NUMBER)
    )


def _dates_agree(said: Claims, held: Claims, context: Claims) -> bool:
    others = held.of(Kind.DATE)
    for fact in said.of(Kind.DATE):
        same = [other for other in others if within(fact, other)]
        if not same:
            if any(within(fact, other) for other in context.of(Kind.DATE)):
                continue
            return False
        if _leads(held, same) and said.words[fact.place - 1] not in _UP_TO:
            continue
        if not fits(said, fact, held, same, others):
            return False
    return True


def _leads(held: Claims, dates: Sequence[Fact]) -> bool:
    """Whether a date opens its sentence, and so dates all of it: "On 2 May 2001, …"."""
    return any(
        date.place < 3 or set(held.words[date.place - 3 : date.place]) & {".", "\n"}
        for date in dates
    )


def _names_agree(said: Claims, held: Claims, context: Claims) -> bool:
    others = held.of(Kind.NAME)
    for fact in said.of(Kind.NAME):
        if holds(held.words, fact.name):
            same = [other for other in others if holds(other.name, fact.name)]
            if same and not fits(said, fact, held, same, others):
                return False
            continue
        if fact.common:
            continue
        if holds(context.words, fact.name):
            mine = around(said, fact)
            if any(overlap(mine, around(held, o)) > LENT and not _named(said, o) for o in others):
                return False
            continue
        if fact.opens and not countries().fullmatch(fact.name[0].capitalize()):
            continue
        return False
    return True


def _named(said: Claims, other: Fact) -> bool:
    return any(alike(fact, other) for fact in said.of(Kind.NAME))


def _opposites_agree(said: Claims, held: Claims) -> bool:
    others = held.of(Kind.OPPOSITE)
    for fact in said.of(Kind.OPPOSITE):
        mine = fact.side ^ _is_denied(said, fact.place)
        in_pair = [other for other in others if other.pair == fact.pair]
        # The same word, denied here or there, is for the check of negations.
        if in_pair and {held.words[o.place] for o in in_pair} == {said.words[fact.place]}:
            continue
        same = [other for other in in_pair if other.side ^ _is_denied(held, other.place) == mine]
        if in_pair and not same:
            return False
        if same and not fits(said, fact, held, same, in_pair):
            return False
    if _WIDE & set(said.words) and not _WIDE_THERE & set(held.words):
        return False
    if not _NARROW & set(said.words) or _NARROW_THERE & set(held.words):
        return True
    return bool(_CONTRASTS & {*said.words, *held.words}) and _plays_down(said)


def _plays_down(claims: Claims) -> bool:
    """Whether "only" plays something down ("only recommends"), rather than limits whom or what."""
    place = next(at for at, word in enumerate(claims.words) if word in _NARROW)
    after = claims.words[place + 1] if place + 1 < len(claims.words) else ""
    return place > 0 and after not in _LIMITS and place + 1 not in {f.place for f in claims.facts}


def _negations_agree(said: Claims, held: Claims) -> bool:
    # A silent word of the source itself ("the word 'rejected' …") denies nothing of its own.
    here, there = _denied(said, but=held.words), _denied(held)
    of_here, of_there = _denied(said, before=True), _denied(held, before=True)
    explained = False
    names = {word for fact in said.of(Kind.NAME) for word in fact.name}
    for negation in said.negations:
        if negation.doubted:
            explained = True
            continue
        refused = {said.stems[at] for at in negation.denied[:3]}
        proper = {said.stems[at] for at in negation.denied[:3] if said.words[at] in names}
        about = {said.stems[at] for at in negation.before}
        turned = said.words[negation.place] not in _RATHER and refused & of_there and about & there
        if (refused - proper) & there or turned:
            continue
        if _limits_number(said, negation.place):
            continue
        if _adds_denial(said, held, negation):
            return False
        if negation.silent:
            explained = explained or said.words[negation.place] not in held.words
        elif _says_opposite(said, held, negation.denied):
            explained = True
        else:
            return False
    if explained:
        return True
    affirmed = {stem for stem in said.stems if stem} - here
    for negation in held.negations:
        scope = {held.stems[at] for at in negation.denied}
        denied = [held.stems[at] for at in negation.denied][:3]
        if (
            (negation.silent and not negation.doubted)
            or not denied
            or set(denied) & (here | of_here)
        ):
            continue
        shared = [stem for stem in denied if stem in affirmed]
        most = len(affirmed & scope) >= MOSTLY * len(affirmed)
        if set(denied[:2]) & affirmed or 3 * len(shared) >= 2 * len(denied) or most:
            return False
    return not _drops_condition(said, held)


def _adds_denial(said: Claims, held: Claims, negation: Negation) -> bool:
    """Whether a word such as "refuses" denies what nothing in the source does."""
    word = said.words[negation.place]
    if word not in STRONG_NEGATORS or said.stems[negation.place] in held.stems:
        return False
    mine = {said.stems[at] for at in (*negation.denied, *negation.before)}
    return not any(
        mine & {held.stems[at] for at in (*other.denied, *other.before)} for other in held.negations
    )


def _adds_exception(said: Claims, held: Claims) -> bool:
    """Whether only the statement makes an exception: "…, except in practice"."""
    return bool(EXCEPTIONS & set(said.words)) and not _EXCEPTING & set(held.words)


def _doubles(claims: Claims) -> bool:
    """Whether one denial denies another: "it is false that it cannot", "not without"."""
    places = [n.place for n in claims.negations if claims.words[n.place] in _DOUBLING]
    return any(
        later - place <= _DOUBLED_WITHIN and not CLAUSE_ENDS & set(claims.words[place + 1 : later])
        for place, later in pairwise(places)
    )


def _denied(claims: Claims, *, before: bool = False, but: Sequence[str] = ()) -> set[str]:
    """The stems of all that is denied, or of what it is denied of.

    Silent words among `but` are passed over, and where they stand before, all of them.
    """
    return {
        claims.stems[at]
        for negation in claims.negations
        if not negation.doubted
        and not (negation.silent and (before or claims.words[negation.place] in but))
        for at in (negation.before if before else negation.denied)
    }


def _drops_condition(said: Claims, held: Claims) -> bool:
    """Whether the source limits what the statement says outright: "only if …", "only states …"."""
    if {"only", "unless"} & set(said.words):
        return False
    pairs = set(zip(held.words, held.words[1:], strict=False))
    if (
        pairs & {("only", "if"), ("only", "when"), ("only", "where")} or "unless" in held.words
    ) and (not _CONDITIONS & set(said.words)):
        return True
    stems = set(said.stems)
    for place, word in enumerate(held.words[:-1]):
        ahead = [stem for stem in held.stems[place + 1 : place + 8] if stem]
        if word != "only" or not ahead or ahead[0] in stems:
            continue
        past = [stem for stem in held.stems[max(0, place - 8) : place] if stem]
        rest = ahead[1:4] if held.stems[place + 1] else past[-3:]
        if rest and 3 * sum(stem in stems for stem in rest) >= 2 * len(rest):
            return True
    return False


def _says_opposite(said: Claims, held: Claims, places: Sequence[int]) -> bool:
    """Whether the source affirms the opposite of a denied word: "not binding", "voluntary".

    A source that affirms the denied word too speaks of two things, and decides nothing.
    """
    theirs = {
        (other.pair, other.side)
        for other in held.of(Kind.OPPOSITE)
        if not _is_denied(held, other.place)
    }
    return any(
        (fact.pair, 1 - fact.side) in theirs and (fact.pair, fact.side) not in theirs
        for fact in said.of(Kind.OPPOSITE)
        if fact.place in places
    )


def _is_denied(claims: Claims, place: int) -> bool:
    return any(place in negation.denied[:3] for negation in claims.negations)
