"""Beside which words a claim stands: whether two texts pair the same claims the same way.

Owns what makes "15 lowered, 3 raised" another claim than "15 raised, 3 lowered", and what counts
as the same name. Knows nothing of which claims a statement must have.
"""

from collections.abc import Sequence

from assistant.claims import Claims, Fact, Kind
from assistant.opposites import ENDINGS, SAME_NAMES

MARGINS = {Kind.NUMBER: 0.35, Kind.DATE: 0.35, Kind.NAME: 0.5, Kind.OPPOSITE: 0.35}
"""How much better another claim of its kind must fit for a claim to stand at the wrong place."""
TWINS = 0.25
"""The same for two claims that both texts make: how much better they fit if they change places."""
_REACH = 6
# What a figure nearby, and a word beyond a comma, weigh.
_FIGURE = 0.8
_BEYOND = 0.4
_BARS = frozenset((",", ")", "while", "whereas", "but", "yet"))
_BEFORE = {Kind.NUMBER: 0.6, Kind.DATE: 1.0, Kind.NAME: 0.8, Kind.OPPOSITE: 0.8}
_AFTER = {Kind.NUMBER: 1.0, Kind.DATE: 0.5, Kind.NAME: 1.0, Kind.OPPOSITE: 1.0}
_ROLES = frozenset(str.split("in at from to for on with against"))
_LINKS = frozenset(str.split("of on and for the"))
_SHORTEST_STEM = 4


def fits(
    said: Claims, fact: Fact, held: Claims, same: Sequence[Fact], others: Sequence[Fact]
) -> bool:
    """Whether the same fact stands beside the same words, as far as any other of its kind does.

    Another that the statement names too takes its place only if it fits so much better
    that both would change places.
    """
    mine = around(said, fact)
    own = max(overlap(mine, around(held, other)) for other in same)
    roles = {_role(said, fact), *(_role(held, other) for other in same)}
    for other in others:
        if other in same:
            continue
        if fact.kind is Kind.NAME and (
            _role(held, other) not in roles or any(_chained(held, other, one) for one in same)
        ):
            continue
        gain = overlap(mine, around(held, other)) - own
        twins = [one for one in said.of(fact.kind) if alike(one, other)]
        if twins:
            theirs = [around(said, twin) for twin in twins]
            kept = max(overlap(one, around(held, other)) for one in theirs)
            swapped = max(overlap(one, around(held, it)) for one in theirs for it in same)
            gain += swapped - kept
            if gain > 2 * TWINS and swapped >= kept:
                return False
            continue
        if gain > MARGINS[fact.kind]:
            return False
    return True


def alike(one: Fact, other: Fact) -> bool:
    """Whether `other` claims what `one` does; a longer name or an exacter date does too."""
    if one.kind is Kind.DATE:
        return within(one, other)
    if one.kind is Kind.NAME:
        return holds(other.name, one.name)
    return (one.number, one.pair, one.side) == (other.number, other.pair, other.side)


def within(fact: Fact, other: Fact) -> bool:
    """Whether one date says no more than another."""
    return fact.date is not None and other.date is not None and fact.date.within(other.date)


def holds(words: Sequence[str], name: Sequence[str]) -> bool:
    """Whether the words of a name stand in a row."""
    last = len(words) - len(name)
    return any(
        all(_same_name(words[at + step], part) for step, part in enumerate(name))
        for at in range(last + 1)
    )


def _same_name(one: str, two: str) -> bool:
    one, two = one.removesuffix("'s"), two.removesuffix("'s")
    one, two = SAME_NAMES.get(one, one), SAME_NAMES.get(two, two)
    if one == two:
        return True
    short, long = sorted((one, two), key=len)
    return len(short) >= _SHORTEST_STEM and long.startswith(short) and long[len(short) :] in ENDINGS


def _role(claims: Claims, fact: Fact) -> str:
    """What a name is to its sentence, by the word before it: "in Rome", "to the ICC"."""
    at = fact.place - 1
    if at >= 0 and claims.words[at] in ("the", "a", "an"):
        at -= 1
    if claims.words[min(fact.place + 1, len(claims.words) - 1)].endswith("'s"):
        return "'s"
    return claims.words[at] if at >= 0 and claims.words[at] in _ROLES else ""


def _chained(claims: Claims, one: Fact, other: Fact) -> bool:
    """Whether two names stand in one row: "the Charter on Human Rights", "China and Russia"."""
    first, last = sorted((one.place, other.place))
    named = {
        at for fact in claims.of(Kind.NAME) for at in range(fact.place, fact.place + len(fact.name))
    }
    return all(at in named or claims.words[at] in _LINKS for at in range(first, last))


def around(claims: Claims, fact: Fact) -> dict[str, float]:
    """The stems and figures near a fact, each with its weight: the nearer, the heavier.

    What stands beyond a comma weighs less, what stands in another sentence nothing.
    """
    weights: dict[str, float] = {}
    figures = _figures(claims)
    length = max(1, len(fact.name))
    bars = _BARS | {"and"} if fact.kind is Kind.OPPOSITE else _BARS
    for start, step in ((fact.place - 1, -1), (fact.place + length, 1)):
        factor = (_BEFORE if step < 0 else _AFTER)[fact.kind]
        distance, at, seen = 0, start, set()
        while 0 <= at < len(claims.words) and distance < _REACH and claims.words[at] not in ".;\n":
            if claims.words[at] in bars:
                factor *= _BEYOND
            if at in figures:
                kind = figures[at].kind
                if kind is fact.kind and figures[at] is not fact:
                    factor *= _BEYOND
                    seen.add(kind)
                word = f"#{_figure(figures[at])}"
                if figures[at] is not fact and kind not in seen:
                    weights[word] = max(weights.get(word, 0.0), min(_FIGURE, factor))
                seen.add(kind)
            elif claims.stems[at]:
                distance += 1
                stem = claims.stems[at]
                weights[stem] = max(weights.get(stem, 0.0), factor / distance)
            at += step
    return weights


def _figures(claims: Claims) -> dict[int, Fact]:
    return {f.place: f for f in claims.facts if f.kind in (Kind.NUMBER, Kind.DATE)}


def _figure(fact: Fact) -> str:
    return str(fact.date.year) if fact.date else fact.number


def overlap(one: dict[str, float], two: dict[str, float]) -> float:
    """How much two surroundings have in common; 0 for nothing."""
    return sum(weight * two[stem] for stem, weight in one.items() if stem in two)
