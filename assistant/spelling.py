"""Misspelt words of a question → the words of the library they are nearest to.

Owns which words are taken for misspellings. A word that the library or the embedding
model knows is never touched. Knows nothing of what is searched for.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from rapidfuzz import process
from rapidfuzz.distance import OSA

_WORD = re.compile(r"[^\W\d_]{4,}")
# One slip in a short word, two in a long one; more would make other words of it.
_LONG = 7


@dataclass(frozen=True, kw_only=True)
class Mended:
    """A text with its misspellings mended, and each pair of what stood there and what now does."""

    text: str
    changes: tuple[tuple[str, str], ...] = ()


def mended(text: str, vocabulary: Collection[str], known: Callable[[str], bool]) -> Mended:
    """`text` with each misspelt word replaced by the nearest of `vocabulary` (lower case).

    `known` says whether a lower-case word is one, whatever the library holds.
    """
    changes: dict[str, str] = {}
    for word in _WORD.findall(text):
        lower = word.lower()
        if word.isupper() or lower in vocabulary or known(lower):
            continue
        slips = 2 if len(word) >= _LONG else 1
        found = process.extractOne(
            lower, vocabulary, scorer=OSA.distance, score_cutoff=slips, processor=None
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
