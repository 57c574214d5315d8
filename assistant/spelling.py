"""Misspelt words of a question → the words of the library they are nearest to.

Owns which words are taken for misspellings. A word that the library, the embedding model
or an English dictionary knows is never touched, since another word is another question.
Knows nothing of what is searched for.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import process
from rapidfuzz.distance import OSA
from spellchecker import SpellChecker

_WORD = re.compile(r"[^\W\d_]{4,}")
# One slip in a short word, two in a long one; more would make other words of it.
_LONG = 7
# A name stands for itself: only one slip in a long enough one is taken for a misspelling.
_LEAST_NAME = 5


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """The words of a library in lower case, and those that it writes with a capital."""

    words: frozenset[str]
    names: frozenset[str]

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Vocabulary":
        """The words of four letters or more."""
        written = {word for text in texts for word in _WORD.findall(text)}
        return cls(
            words=frozenset(word.lower() for word in written),
            names=frozenset(word.lower() for word in written if word[0].isupper()),
        )


@dataclass(frozen=True, kw_only=True)
class Mended:
    """A text with its misspellings mended, and each pair of what stood there and what now does."""

    text: str
    changes: tuple[tuple[str, str], ...] = ()


def in_dictionary(word: str) -> bool:
    """Whether `word` (lower case) is an English word."""
    return word in _dictionary()


@lru_cache(maxsize=1)
def _dictionary() -> SpellChecker:
    return SpellChecker(language="en")


def mended(text: str, vocabulary: Vocabulary, known: Callable[[str], bool]) -> Mended:
    """`text` with each misspelt word replaced by the nearest of `vocabulary`.

    `known` says whether a lower-case word is one, whatever the library holds.
    """
    changes: dict[str, str] = {}
    for match in _WORD.finditer(text):
        word = match.group()
        lower = word.lower()
        # Capitals within a word make it an abbreviation: "MEPs".
        if word[1:] != lower[1:] or lower in vocabulary.words or known(lower):
            continue
        slips = 2 if len(word) >= _LONG else 1
        right = vocabulary.words
        if word[0].isupper() and text[: match.start()].strip():
            if len(word) < _LEAST_NAME:
                continue
            slips, right = 1, vocabulary.names
        found = process.extractOne(
            lower, right, scorer=OSA.distance, score_cutoff=slips, processor=None
        )
        if found and abs(len(found[0]) - len(word)) <= 1:
            changes[word] = _cased(found[0], word)
    if not changes:
        return Mended(text=text)
    pattern = re.compile(rf"\b({'|'.join(map(re.escape, changes))})\b")
    return Mended(
        text=pattern.sub(lambda match: changes[match.group()], text),
        changes=tuple(changes.items()),
    )


def _cased(word: str, like: str) -> str:
    return word.capitalize() if like[0].isupper() else word
