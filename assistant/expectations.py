"""What a sentence must hold to answer a typed question: a number, a date, a name, a definition.

Owns the rules by which a sentence is seen to hold it. Knows nothing of evidence or scores.
"""

import re
from functools import cache

from assistant.questions import Expect
from index.lexical import terms

_NUMBER_WORDS = (
    r"one(?! (?:another|of|or)\b)|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|"
    "thirteen|fourteen|fifteen|eighteen|twenty|thirty|forty|fifty|hundred|hundreds|thousand|"
    "thousands|million|millions|billion|dozen|dozens|half|once|twice|none|zero|"
    r"no(?= \w+ at all\b)"
)
# A bare year is a date, no number of anything.
_NUMBER = re.compile(rf"\b(?!(?:1[5-9]|20)\d\d\b(?![,.]\d))\d[\d,.]*\b|\b({_NUMBER_WORDS})\b", re.I)
_YEAR = re.compile(r"\b(1[0-9]\d\d|20\d\d)\b|\b\d{1,2}(st|nd|rd|th) century\b|\bcentury\b", re.I)
_MONTH = re.compile(
    r"\b(January|February|March|April|May|June|July|August|September|October|November|December)\b"
)
_CAPITALISED = re.compile(
    r"\b[A-ZÀ-Þ][a-zà-ÿ'’-]+(?:\s+(?:(?:de|van|von|al|bin|der|da)\s+)?[A-ZÀ-Þ][\w.'’-]*)+"
)
# Words of the names of bodies, texts, places and offices, which no person is called by.
_NOT_A_PERSON = frozenset(
    (
        "the united nations human rights council committee commission court courts union "
        "convention covenant declaration assembly commissioner office organization organisation "
        "organizations secretary rapporteur rapporteurs review charter treaty protocol principles "
        "states kingdom republic bank fund forum group network watch international service "
        "federation goals programme fundamental defenders special general high european african "
        "american security universal north south middle east eastern western world amnesty "
        "working supreme national central latin africa america korea periodic civil political "
        "economic social cultural law process article institute university society american "
        "states asian arab league global security president prime minister chair january february "
        "march april may june july august september october november december"
    ).split()
)


def satisfies(sentence: str, expect: Expect, question: str) -> bool:
    """Whether `sentence` holds the kind of thing that `question` expects.

    A number, year or name that the question itself gives does not count.
    """
    if expect is Expect.ANYTHING:
        return True
    given = {word.casefold() for word in re.findall(r"\w+", question)}
    if expect is Expect.NUMBER:
        return any(found.group().casefold() not in given for found in _NUMBER.finditer(sentence))
    if expect is Expect.DATE:
        found_dates = [m.group().casefold() for m in _YEAR.finditer(sentence)]
        return any(date not in given for date in found_dates) or bool(_MONTH.search(sentence))
    if expect is Expect.COUNTRY:
        return any(
            found.group().casefold() not in question.casefold()
            for found in countries().finditer(sentence)
        )
    return any(
        not words & _NOT_A_PERSON and not words <= given
        for found in _CAPITALISED.finditer(sentence)
        if (words := set(re.findall(r"[\w’'-]+", found.group().casefold())))
    )


@cache
def countries() -> re.Pattern[str]:
    """Names of countries and territories in English, from Unicode's CLDR."""
    from babel import Locale

    names = [
        name
        for code, name in Locale("en").territories.items()
        if len(code) == 2 and code not in {"EU", "UN", "EZ", "ZZ", "QO", "XA", "XB"}
    ]
    names += ["United States", "USA", "Britain", "Great Britain", "Russia", "Turkey", "Korea"]
    ordered = sorted(names, key=len, reverse=True)
    return re.compile(rf"\b({'|'.join(re.escape(name) for name in ordered)})\b")


_DEFINED = re.compile(
    r"\b(?P<outright>means|refers to|denotes|(?:is|are) defined as|(?:is|are) understood as|"
    r"stands for)\b|\b(?P<is>is|are|was|were) (?:an?|the|one of|any)\b"
    r"|\b(?:encompass\w*|comprises?|includes?|involves?|consists? of)\b",
    re.I,
)
_OUTRIGHT, _IS, _INCLUDES = 1.0, 0.7, 0.5


def defines(sentence: str, question: str) -> float:
    """How much `sentence` defines what `question` asks the meaning of, 0 to 1.

    It does when the asked term stands before the defining verb, near its start: most
    where it says "is defined as" or "means", less where it says "is a", least where it
    only says what the thing includes.
    """
    found = _DEFINED.search(sentence)
    if not found:
        return 0.0
    subject = set(terms(sentence[: found.start()]))
    asked = [term for term in dict.fromkeys(terms(question)) if term not in _DEFINITION_TERMS]
    if not asked or not subject:
        return 0.0
    held = sum(term in subject for term in asked) / len(asked)
    if held < 0.6 or len(subject) > 2 * len(asked) + 2 or not _is_head(sentence, asked):
        return 0.0
    return _OUTRIGHT if found["outright"] else _IS if found["is"] else _INCLUDES


def _is_head(sentence: str, asked: list[str]) -> bool:
    """Whether the sentence is about the asked thing itself, not about a part or kind of it."""
    words = [term for term in terms(sentence.partition("(")[0]) if term][:2]
    return any(word in asked for word in words)


_DEFINITION_TERMS = frozenset(
    terms("define definition meaning meant mean means term explain stand")
)
