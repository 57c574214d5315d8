"""Whether two texts claim the same facts: the claims of a statement and of a source, a flaw out.

Owns what counts as agreement of numbers, dates, names, opposites and negations, wherever each
stands among its words. Knows nothing of meaning, of vectors or of passages.
"""

from collections.abc import Sequence
from enum import StrEnum

from assistant.claims import Claims, Date, Fact, Kind, claims_of
from assistant.expectations import countries
from assistant.opposites import COMMON_NAMES, ENDINGS, SAME_NAMES

# A fact stands beside other words than in the source if another of its kind fits so much better.
MARGINS = {Kind.NUMBER: 0.35, Kind.DATE: 0.35, Kind.NAME: 0.5, Kind.OPPOSITE: 0.35}
LENT = 1.2
_REACH = 6
# What a figure nearby, and a word beyond a comma, weigh.
_FIGURE = 0.8
_BEYOND = 0.4
_BARS = frozenset((",", ")", "while", "whereas", "but", "yet"))
_BEFORE = {Kind.NUMBER: 0.6, Kind.DATE: 1.0, Kind.NAME: 0.8, Kind.OPPOSITE: 0.8}
_AFTER = {Kind.NUMBER: 1.0, Kind.DATE: 0.5, Kind.NAME: 1.0, Kind.OPPOSITE: 1.0}
_UP_TO = frozenset(str.split("until till to before by"))
_ROLES = frozenset(str.split("in at from to for on with against"))
_LINKS = frozenset(str.split("of on and for the"))
_ONE = frozenset(("once", "single", "one", "a"))
_CONDITIONS = frozenset(str.split("only if unless except provided where when require requires"))
_WIDE = frozenset(str.split("all every always everyone"))
_WIDE_THERE = _WIDE | frozenset(str.split("each any both whole entire no none unanimously"))
_NARROW = frozenset(str.split("only solely exclusively"))


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
    said, held, around = claims_of(statement), claims_of(source), claims_of(context)
    if not _numbers_agree(said, held, around):
        return Flaw.NUMBER
    if not _dates_agree(said, held, around):
        return Flaw.DATE
    if not _names_agree(said, held, around):
        return Flaw.NAME
    if not (_opposites_agree(said, held) and _negations_agree(said, held)):
        return Flaw.NEGATION
    return None


def figures_agree(statement: str, source: str) -> bool:
    """Whether every figure of `statement` stands in `source`: all that holds across languages."""
    said, held = claims_of(statement), claims_of(source)
    figures = {word for word in held.words if word[:1].isdigit()}
    held_figures = figures | {str(fact.value) for fact in held.of(Kind.NUMBER)}
    held_figures |= {str(fact.value.year) for fact in held.of(Kind.DATE) if isinstance(fact.value, Date)}
    return all(
        str(fact.value) in held_figures for fact in said.of(Kind.NUMBER)
    ) and all(
        str(fact.value.year) in held_figures
        for fact in said.of(Kind.DATE)
        if isinstance(fact.value, Date) and fact.value.year
    )


def _numbers_agree(said: Claims, held: Claims, around: Claims) -> bool:
    others = held.of(Kind.NUMBER)
    lent = {fact.value for fact in around.of(Kind.NUMBER)}
    for fact in said.of(Kind.NUMBER):
        same = [other for other in others if other.value == fact.value]
        if not same:
            if fact.value in lent or (fact.value == "1" and _ONE & set(held.words)):
                continue
            if fact.value == "2" and "both" in held.words:
                continue
            return False
        if not _fits(said, fact, held, same, others):
            return False
    if "once" in said.words and not _ONE & set(held.words):
        return True
    return True


def _dates_agree(said: Claims, held: Claims, around: Claims) -> bool:
    others = held.of(Kind.DATE)
    for fact in said.of(Kind.DATE):
        same = [other for other in others if _within(fact, other)]
        if not same:
            if any(_within(fact, other) for other in around.of(Kind.DATE)):
                continue
            return False
        if _leads(held, same) and said.words[fact.place - 1] not in _UP_TO:
            continue
        if not _fits(said, fact, held, same, others):
            return False
    return True


def _leads(held: Claims, dates: Sequence[Fact]) -> bool:
    """Whether a date opens its sentence, and so dates all of it: "On 2 May 2001, …"."""
    return any(
        date.place < 3 or set(held.words[date.place - 3 : date.place]) & {".", "\n"}
        for date in dates
    )


def _within(fact: Fact, other: Fact) -> bool:
    one, two = fact.value, other.value
    return isinstance(one, Date) and isinstance(two, Date) and one.within(two)


def _names_agree(said: Claims, held: Claims, around: Claims) -> bool:
    others = held.of(Kind.NAME)
    for fact in said.of(Kind.NAME):
        value, opens = fact.value  # type: ignore[misc]
        if _holds(held.words, value):
            same = [other for other in others if _holds(other.value[0], value)]  # type: ignore[index]
            if same and not _fits(said, fact, held, same, others):
                return False
            continue
        if _holds(around.words, value):
            mine = _around(said, fact)
            if any(_overlap(mine, _around(held, o)) > LENT and not _named(said, o) for o in others):
                return False
            continue
        if opens and not countries().fullmatch(value[0].capitalize()):
            continue
        return False
    return True


def _named(said: Claims, other: Fact) -> bool:
    return any(_alike(fact, other) for fact in said.of(Kind.NAME))


def _holds(words: Sequence[str], name: Sequence[str]) -> bool:
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
    return len(short) > 3 and long.startswith(short) and long[len(short) :] in ENDINGS


def _opposites_agree(said: Claims, held: Claims) -> bool:
    others = held.of(Kind.OPPOSITE)
    for fact in said.of(Kind.OPPOSITE):
        pair, side = fact.value  # type: ignore[misc]
        mine = side ^ _is_denied(said, fact.place)
        in_pair = [other for other in others if other.value[0] == pair]  # type: ignore[index]
        same = [o for o in in_pair if (o.value[1] ^ _is_denied(held, o.place)) == mine]  # type: ignore[index]
        if in_pair and not same:
            return False
        if same and not _fits(said, fact, held, same, in_pair):
            return False
    if _WIDE & set(said.words) and not _WIDE_THERE & set(held.words):
        return False
    return not (_NARROW & set(said.words) and not {"only", "alone", "just"} & set(held.words))


def _negations_agree(said: Claims, held: Claims) -> bool:
    here, there = _denied(said), _denied(held)
    of_here, of_there = _denied(said, before=True), _denied(held, before=True)
    explained = False
    for negation in said.negations:
        if negation.doubted:
            explained = True
            continue
        names = {word for fact in said.of(Kind.NAME) for word in fact.value[0]}  # type: ignore[index]
        stems = {said.stems[at] for at in negation.denied[:3] if said.words[at] not in names}
        about = {said.stems[at] for at in negation.before}
        if stems & (there | of_there) or about & there:
            continue
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
        denied = [held.stems[at] for at in negation.denied][:3]
        if (negation.silent and not negation.doubted) or not denied or set(denied) & (here | of_here):
            continue
        shared = [stem for stem in denied if stem in affirmed]
        if denied[0] in affirmed or 3 * len(shared) >= 2 * len(denied):
            return False
    return not _drops_condition(said, held)


def _denied(claims: Claims, before: bool = False) -> set[str]:
    """The stems of all that is denied, or of what it is denied of."""
    return {
        claims.stems[at]
        for negation in claims.negations
        if not (before and negation.silent) and not negation.doubted
        for at in (negation.before if before else negation.denied)
    }


def _drops_condition(said: Claims, held: Claims) -> bool:
    """Whether the source limits what the statement says outright: "only if …", "only states …"."""
    if {"only", "unless"} & set(said.words):
        return False
    pairs = set(zip(held.words, held.words[1:], strict=False))
    if (pairs & {("only", "if"), ("only", "when"), ("only", "where")} or "unless" in held.words) and (
        not _CONDITIONS & set(said.words)
    ):
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
    """Whether the source affirms the opposite of a denied word: "not binding", "voluntary"."""
    theirs = {other.value for other in held.of(Kind.OPPOSITE) if not _is_denied(held, other.place)}
    return any(
        (fact.value[0], 1 - fact.value[1]) in theirs  # type: ignore[index]
        for fact in said.of(Kind.OPPOSITE)
        if fact.place in places
    )


def _is_denied(claims: Claims, place: int) -> bool:
    return any(place in negation.denied[:3] for negation in claims.negations)


def _fits(
    said: Claims, fact: Fact, held: Claims, same: Sequence[Fact], others: Sequence[Fact]
) -> bool:
    """Whether the same fact stands beside the same words, as far as any other of its kind does.

    Another that the statement names too takes its place only if it fits so much better
    that both would change places.
    """
    mine = _around(said, fact)
    own = max(_overlap(mine, _around(held, other)) for other in same)
    roles = {_role(said, fact), *(_role(held, other) for other in same)}
    for other in others:
        if other in same:
            continue
        if fact.kind is Kind.NAME and (
            _role(held, other) not in roles or any(_chained(held, other, one) for one in same)
        ):
            continue
        gain = _overlap(mine, _around(held, other)) - own
        twins = [one for one in said.of(fact.kind) if _alike(one, other)]
        if twins:
            theirs = [_around(said, twin) for twin in twins]
            kept = max(_overlap(one, _around(held, other)) for one in theirs)
            swapped = max(_overlap(one, _around(held, it)) for one in theirs for it in same)
            gain = (gain + swapped - kept) / 2 if swapped > kept else min(gain, swapped - kept)
        if gain > MARGINS[fact.kind]:
            return False
    return True


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
        at
        for fact in claims.of(Kind.NAME)
        for at in range(fact.place, fact.place + len(fact.value[0]))  # type: ignore[index]
    }
    return all(at in named or claims.words[at] in _LINKS for at in range(first, last))


def _alike(one: Fact, other: Fact) -> bool:
    if one.kind is Kind.DATE:
        return _within(one, other)
    if one.kind is Kind.NAME:
        return _holds(other.value[0], one.value[0])  # type: ignore[index]
    return one.value == other.value


def _around(claims: Claims, fact: Fact) -> dict[str, float]:
    """The stems and figures near a fact, each with its weight: the nearer, the heavier.

    What stands beyond a comma weighs less, what stands in another sentence nothing.
    """
    weights: dict[str, float] = {}
    figures = _figures(claims)
    length = len(fact.value[0]) if fact.kind is Kind.NAME else 1  # type: ignore[index]
    bars = _BARS | {"and"} if fact.kind is Kind.OPPOSITE else _BARS
    for start, step in ((fact.place - 1, -1), (fact.place + length, 1)):
        factor = (_BEFORE if step < 0 else _AFTER)[fact.kind]
        distance, at, seen = 0, start, set()
        while 0 <= at < len(claims.words) and distance < _REACH and claims.words[at] not in ".;\n":
            if claims.words[at] in bars:
                factor *= _BEYOND
            if at in figures:
                kind = figures[at].kind
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
    return str(fact.value.year if isinstance(fact.value, Date) else fact.value)


def _overlap(one: dict[str, float], two: dict[str, float]) -> float:
    return sum(weight * two[stem] for stem, weight in one.items() if stem in two)
