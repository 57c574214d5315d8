"""What a sentence claims: text in, its numbers, dates, names, opposites and negations out.

Owns how each is recognised in English, in figures and in words, and where it stands among
the other words. Knows nothing of statements, of passages or of what agrees with what.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache

from assistant.opposites import (
    ACRONYMS,
    CLAUSE_ENDS,
    COMMON_NAMES,
    DOUBTS,
    NEGATORS,
    NOT_NAMES,
    OPPOSITES,
    SILENT_NEGATORS,
    WORD_PAIRS,
)
from index.lexical import terms

_MONTHS = str.split(
    "january february march april may june july august september october november december"
)
_MONTH = "(" + "|".join(month.capitalize() for month in _MONTHS) + ")"
_DAY = r"(\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"((?:1[4-9]|20)\d\d)(?![\d/])"
_AFTER = r"(?:,? " + _YEAR + r")?"

_UNITS = dict(
    zip(
        str.split(
            "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
            " fifteen sixteen seventeen eighteen nineteen"
        ),
        range(20),
        strict=True,
    )
)
_TENS = dict(
    zip(str.split("twenty thirty forty fifty sixty seventy eighty ninety"), range(20, 100, 10))
)
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "dozen": 12}
_ORDINALS = dict(
    zip(
        str.split(
            "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth"
            " thirteenth fourteenth fifteenth"
        ),
        range(1, 16),
    )
) | {"twentieth": 20, "thirtieth": 30, "fiftieth": 50, "sixtieth": 60, "hundredth": 100}
_NUMERALS = frozenset((*_UNITS, *_TENS, *_SCALES, *_ORDINALS))
_DENY_SUBJECTS = frozenset(("no", "neither", "nor", "nobody", "none"))
_TIMES = {"once": 1, "twice": 2, "thrice": 3}
_PARTS = {
    "half": Fraction(1, 2),
    "third": Fraction(1, 3),
    "thirds": Fraction(1, 3),
    "quarter": Fraction(1, 4),
    "quarters": Fraction(1, 4),
    "fifths": Fraction(1, 5),
}
_NAMED_NUMBERS = frozenset(
    str.split("resolution resolutions decision directive regulation procedure no protocol si")
)
# "One" counts only where it is no pronoun: "no one", "one of them", "this one".
_NO_COUNT_BEFORE = frozenset(str.split("no any every each this that which some the another"))
_NO_COUNT_AFTER = frozenset(str.split("of another or who that can may is has to"))

_ITEM = re.compile(
    rf"(?P<range>\b{_DAY}(?: {_MONTH})? (?:to|and|-) {_DAY} {_MONTH}{_AFTER})"
    rf"|(?P<dmy>\b{_DAY} (?:of )?{_MONTH}{_AFTER})"
    rf"|(?P<mdy>\b{_MONTH} {_DAY}\b(?! ?%)(?:,? {_YEAR})?)"
    rf"|(?P<my>\b{_MONTH}(?: of)?,? {_YEAR})"
    r"|(?P<iso>\b\d{4}-\d\d-\d\d\b)"
    rf"|(?P<bare>(?<![.\w] )\b{_MONTH}\b)"
    r"|(?P<code>\b[A-Z]{1,4}(?:/[\w.]+)+|\b\d+(?:/\d+)+(?:\(\w+\))?|\b\d+(?:\(\d+\))+)"
    r"|(?P<ordinal>\b\d+(?:st|nd|rd|th)\b)"
    r"|(?P<number>\b\d{1,3}(?:,\d{3})+(?:\.\d+)?|\b\d+(?:\.\d+)?)"
    r"|(?P<word>[^\W\d_]+\d+\b|[^\W\d_]+(?:'[^\W\d_]+)*|%)"
    r"|(?P<point>[.;:,!?()\n])"
)
_CLEAN = str.maketrans(
    dict.fromkeys("‘’ʼ´`", "'") | dict.fromkeys("–—‑−", "-") | dict.fromkeys("“”«»", '"')
)


class Kind(StrEnum):
    """What sort of thing is claimed."""

    NUMBER = "number"
    DATE = "date"
    NAME = "name"
    OPPOSITE = "opposite"


@dataclass(frozen=True)
class Date:
    """A date; None for what it doesn't say."""

    year: int | None
    month: int | None = None
    day: int | None = None

    def within(self, other: "Date") -> bool:
        """Whether `other` says all that this one does."""
        mine = (self.year, self.month, self.day)
        theirs = (other.year, other.month, other.day)
        return all(a is None or a == b for a, b in zip(mine, theirs, strict=True))


@dataclass(frozen=True)
class Fact:
    """One claim: `value` compares equal for equal claims; `place` is that of its word."""

    kind: Kind
    value: object
    place: int


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


@dataclass(frozen=True)
class _Word:
    text: str
    shape: str
    date: tuple[Date, ...] = ()
    opens: bool = False

    @property
    def lower(self) -> str:
        return self.text.lower()


def plain(text: str) -> str:
    """`text` with plain quotes and dashes, per cent as %, and long names as their acronyms."""
    text = unicodedata.normalize("NFKC", text).translate(_CLEAN)
    text = re.sub(r"\bper ?cent\b|\bpercent\b", "%", text)
    text = re.sub(r"\b(?:at|of) all\b|(?<=\bnot) yet\b|\bonce(?= more)", "", text)
    text = re.sub(r"\bU\.\s?([NSK])\.(?:A\.)?", r"U\1", text)
    text = re.sub(r"\$(\d[\d,.]*(?: (?:million|billion))?)", r"\1 dollars", text)
    text = re.sub(r"€(\d[\d,.]*(?: (?:million|billion))?)", r"\1 euro", text)
    for long, short in ACRONYMS:
        text = long.sub(short, text)
    return re.sub(r"\b([A-Z]{2,})(?: \(\1\))", r"\1", text)


@lru_cache(maxsize=4096)
def claims_of(text: str) -> Claims:
    """All that `text` claims, as far as rules see it."""
    words = list(_words(plain(text)))
    stems = tuple(_stem(word) for word in words)
    facts = [*_dates(words), *_numbers(words), *_names(words), *_opposites(words)]
    return Claims(
        words=tuple(word.lower for word in words),
        stems=stems,
        facts=tuple(sorted(facts, key=lambda fact: fact.place)),
        negations=tuple(_negations(words, stems)),
    )


def _words(text: str) -> Iterator[_Word]:
    opens = True
    for match in _ITEM.finditer(text):
        shape = next(name for name, value in match.groupdict().items() if value is not None)
        if shape in ("range", "dmy", "mdy", "my", "iso", "bare"):
            dates = _read_date(match.group(), shape)
            if shape == "bare" and match.group() in ("May", "March") and not re.search(
                r"(?:in|of|since|until|by|from|to|early|late|mid) $", text[: match.start()], re.I
            ):
                shape, dates = "word", ()
            yield _Word(match.group(), shape, date=dates)
        else:
            yield _Word(match.group(), shape, opens=opens)
        opens = shape == "point" and match.group() in ".:!?\n"


def _read_date(text: str, shape: str) -> tuple[Date, ...]:
    months = [_MONTHS.index(word.lower()) + 1 for word in re.findall(_MONTH, text)]
    years = [int(year) for year in re.findall(r"\b\d{4}\b", text)]
    days = [int(day) for day in re.findall(r"\b(\d{1,2})(?:st|nd|rd|th)?\b", text)]
    year = years[0] if years else None
    if shape == "iso":
        y, m, d = text.split("-")
        return (Date(int(y), int(m), int(d)),)
    if shape == "range":
        first = Date(year, months[0], days[0])
        return (first, Date(year, months[-1], days[1]))
    return (Date(year, months[0], days[0] if days else None),)


def _stem(word: _Word) -> str:
    if word.shape != "word" or word.lower in NOT_NAMES - COMMON_NAMES:
        return ""
    found = terms(word.text.replace("'s", ""))
    return WORD_PAIRS.get(found[0], found[0]) if found else ""


def _dates(words: list[_Word]) -> Iterator[Fact]:
    for place, word in enumerate(words):
        for date in word.date:
            yield Fact(Kind.DATE, date, place)
        if word.shape == "number" and re.fullmatch(_YEAR, word.text):
            if place and words[place - 1].lower in _NAMED_NUMBERS:
                continue
            yield Fact(Kind.DATE, Date(int(word.text)), place)


def _numbers(words: list[_Word]) -> Iterator[Fact]:
    at = 0
    while at < len(words):
        value, used = _number_at(words, at)
        if value is None:
            at += 1
            continue
        after = words[at + used].lower if at + used < len(words) else ""
        unit = "%" if after == "%" else ""
        yield Fact(Kind.NUMBER, f"{value}{unit}", at)
        at += used


def _number_at(words: list[_Word], at: int) -> tuple[Fraction | str | None, int]:
    """The number that begins at a word, and how many words it takes."""
    word = words[at]
    if word.shape == "code":
        return word.text, 1
    if word.shape == "ordinal":
        return f"{int(word.text[:-2])}th", 1
    if word.lower in _ORDINALS:
        return f"{_ORDINALS[word.lower]}th", 1
    if word.lower in _TIMES:
        return None, 1
    if word.lower in _PARTS and word.lower != "third":
        return _PARTS[word.lower], 1
    if word.shape == "number":
        is_year = re.fullmatch(_YEAR, word.text)
        if is_year and not (at and words[at - 1].lower in _NAMED_NUMBERS):
            return None, 1
        return _scaled(words, at + 1, Fraction(word.text.replace(",", "")), at)
    if word.lower == "one" and _is_pronoun(words, at):
        return None, 1
    value, used = 0, 0
    if word.lower in _TENS:
        value, used = _TENS[word.lower], 1
        follows = words[at + 1].lower if at + 1 < len(words) else ""
        if 0 < _UNITS.get(follows, 0) < 10:
            return _scaled(words, at + 2, Fraction(value + _UNITS[follows]), at)
    elif word.lower in _UNITS:
        value, used = _UNITS[word.lower], 1
    elif word.lower == "dozen":
        return Fraction(12), 1
    return _scaled(words, at + used, Fraction(value), at) if used else (None, 1)


def _scaled(words: list[_Word], at: int, value: Fraction, start: int) -> tuple[Fraction, int]:
    """A number with what follows it: "million", "and a half", "quarters"."""
    ahead = [word.lower for word in words[at : at + 3]]
    if ahead[:1] and ahead[0] in _SCALES:
        return value * _SCALES[ahead[0]], at + 1 - start
    if ahead == ["and", "a", "half"]:
        return value + Fraction(1, 2), at + 3 - start
    if ahead[:1] and ahead[0] in _PARTS and ahead[0] != "half":
        return value * _PARTS[ahead[0]], at + 1 - start
    return value, at - start


def _is_pronoun(words: list[_Word], at: int) -> bool:
    before = words[at - 1].lower if at else ""
    after = words[at + 1].lower if at + 1 < len(words) else ""
    return before in _NO_COUNT_BEFORE or after in _NO_COUNT_AFTER or after in ",.;"


def _names(words: list[_Word]) -> Iterator[Fact]:
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
        if first.opens and (first.lower in NOT_NAMES or first.lower in _NUMERALS):
            start += 1
        value = tuple(_bare(word) for word in words[start:run])
        single = len(value) == 1
        is_numeral = single and re.fullmatch("[IVXL]+", words[start].text)
        if value and not is_numeral and not (single and value[0] in COMMON_NAMES):
            yield Fact(Kind.NAME, (value, bool(first.opens and single and start == at)), start)
        at = run


def _is_capital(word: _Word) -> bool:
    return word.shape == "word" and word.text[:1].isupper()


def _bare(word: _Word) -> str:
    text = word.text.removesuffix("'s").removesuffix("'")
    is_plural = text.endswith("s") and len(text) > 2 and text[:-1].isupper()
    return (text[:-1] if is_plural else text).lower()


def _opposites(words: list[_Word]) -> Iterator[Fact]:
    for place, word in enumerate(words):
        for pair, side in OPPOSITES.get(word.lower, ()):
            yield Fact(Kind.OPPOSITE, (pair, side), place)


def _negations(words: list[_Word], stems: tuple[str, ...]) -> Iterator[Negation]:
    for place, word in enumerate(words):
        loud = word.lower in NEGATORS or word.lower.endswith("n't")
        doubted = word.lower in DOUBTS
        if not loud and not doubted and word.lower not in SILENT_NEGATORS:
            continue
        of_subject = word.lower in _DENY_SUBJECTS
        denied: list[int] = []
        for at in range(place + 1, len(words)):
            if len(denied) == 5 or words[at].lower in (".;:\n" if of_subject else CLAUSE_ENDS):
                break
            if stems[at]:
                denied.append(at)
        before: list[int] = []
        for at in range(place - 1, -1, -1):
            if len(before) == 3 or words[at].lower in CLAUSE_ENDS:
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
