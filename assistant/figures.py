"""The words of a text, and the numbers and dates among them.

Owns how figures are read, in digits and in English words: "four and a half", "62 per cent",
"sixtieth", "21 May to 4 June 2004", "resolution 39/2". Knows nothing of names or negations.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from assistant.opposites import ACRONYMS

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
    zip(
        str.split("twenty thirty forty fifty sixty seventy eighty ninety"),
        range(20, 100, 10),
        strict=True,
    )
)
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "dozen": 12}
_ORDINALS = dict(
    zip(
        str.split(
            "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth"
            " thirteenth fourteenth fifteenth"
        ),
        range(1, 16),
        strict=True,
    )
) | {"twentieth": 20, "thirtieth": 30, "fiftieth": 50, "sixtieth": 60, "hundredth": 100}
NUMERALS = frozenset((*_UNITS, *_TENS, *_SCALES, *_ORDINALS))
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
    r"|(?P<code>\b[A-Z]{1,4}(?:/\w+(?:\.\w+)*)+|\b\d+(?:/\d+)+(?:\(\w+\))?|\b\d+(?:\(\d+\))+)"
    r"|(?P<ordinal>\b\d+(?:st|nd|rd|th)\b)"
    r"|(?P<number>\b\d{1,3}(?:,\d{3})+(?:\.\d+)?|\b\d+(?:\.\d+)?)"
    r"|(?P<word>[^\W\d_]+\d+\b|[^\W\d_]+(?:'[^\W\d_]+)*|%)"
    r"|(?P<point>[.;:,!?()\n])"
)
_CLEAN = str.maketrans(
    dict.fromkeys("‘’ʼ´`", "'") | dict.fromkeys("–—‑−", "-") | dict.fromkeys("“”«»", '"')
)


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
class Word:
    """One word, figure or mark. `opens`: it begins a sentence; `date` what it dates, if it does."""

    text: str
    shape: str
    date: tuple[Date, ...] = ()
    opens: bool = False

    @property
    def lower(self) -> str:
        """In lower case."""
        return self.text.lower()


def plain(text: str) -> str:
    """`text` with plain quotes and dashes, per cent as %, and long names as their acronyms."""
    text = unicodedata.normalize("NFKC", text).translate(_CLEAN)
    text = re.sub(r"\bper ?cent\b|\bpercent\b", "%", text)
    text = re.sub(r"\b[Nn]o\. (?=\d)", "number ", text)
    text = re.sub(r"\b(?:at|of) all\b|(?<=\bnot) yet\b|\bonce(?= more)", "", text)
    text = re.sub(r"\bU\.\s?([NSK])\.(?:A\.)?", r"U\1", text)
    text = re.sub(r"\$(\d[\d,.]*(?: (?:million|billion))?)", r"\1 dollars", text)
    text = re.sub(r"€(\d[\d,.]*(?: (?:million|billion))?)", r"\1 euro", text)
    for long, short in ACRONYMS:
        text = long.sub(short, text)
    return re.sub(r"\b([A-Z]{2,})(?: \(\1\))", r"\1", text)


def words_of(text: str) -> Iterator[Word]:
    """The words of a plain text in order; a date is one word."""
    opens = True
    for match in _ITEM.finditer(text):
        shape = next(name for name, value in match.groupdict().items() if value is not None)
        if shape in ("range", "dmy", "mdy", "my", "iso", "bare"):
            dates = _read_date(match.group(), shape)
            if (
                shape == "bare"
                and match.group() in ("May", "March")
                and not re.search(
                    r"(?:in|of|since|until|by|from|to|early|late|mid) $",
                    text[: match.start()],
                    re.I,
                )
            ):
                shape, dates = "word", ()
            yield Word(match.group(), shape, date=dates)
        else:
            yield Word(match.group(), shape, opens=opens)
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


def dates_of(words: Sequence[Word]) -> Iterator[tuple[int, Date]]:
    """The dates among words, each with its place; a bare year is one."""
    for place, word in enumerate(words):
        for date in word.date:
            yield place, date
        if word.shape == "number" and re.fullmatch(_YEAR, word.text):
            if place and words[place - 1].lower in _NAMED_NUMBERS:
                continue
            yield place, Date(int(word.text))


def numbers_of(words: Sequence[Word]) -> Iterator[tuple[int, str]]:
    """The numbers among words, each with its place: "9/2", "62%", "3th", "A/RES/71/248"."""
    at = 0
    while at < len(words):
        value, used = _number_at(words, at)
        if value is None:
            at += 1
            continue
        after = words[at + used].lower if at + used < len(words) else ""
        unit = "%" if after == "%" else ""
        yield at, f"{value}{unit}"
        at += used


def _number_at(words: Sequence[Word], at: int) -> tuple[Fraction | str | None, int]:
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


def _scaled(words: Sequence[Word], at: int, value: Fraction, start: int) -> tuple[Fraction, int]:
    """A number with what follows it: "million", "and a half", "quarters"."""
    ahead = [word.lower for word in words[at : at + 3]]
    if ahead[:1] and ahead[0] in _SCALES:
        return value * _SCALES[ahead[0]], at + 1 - start
    if ahead == ["and", "a", "half"]:
        return value + Fraction(1, 2), at + 3 - start
    if ahead[:1] and ahead[0] in _PARTS and ahead[0] != "half":
        return value * _PARTS[ahead[0]], at + 1 - start
    return value, at - start


def _is_pronoun(words: Sequence[Word], at: int) -> bool:
    before = words[at - 1].lower if at else ""
    after = words[at + 1].lower if at + 1 < len(words) else ""
    # "One task of the council is …" counts nothing.
    if words[at].opens and at + 2 < len(words) and words[at + 2].lower == "of":
        return True
    return before in _NO_COUNT_BEFORE or after in _NO_COUNT_AFTER or after in ",.;"
