"""Titles: whether a first line is one, and a title for text that has none.

Owns both rules. Knows nothing of formats or files; gets a fallback made from the file's name.
"""

import re
from collections.abc import Iterable

from corpus.lines import NUMBERED_HEADING, Lump, could_be_heading
from corpus.outline import PieceKind

_GENERIC = re.compile(
    r"(?i)^(?:introduction|abstract|summary|overview|contents|table of contents|background|"
    r"preface|foreword|conclusions?)$"
)
_CLOSING = re.compile(r"(?i)^(?:in )?(?:conclusions?|closing|concluding remarks|final thoughts)\b")
_SUBJECT = re.compile(
    r"^(?:(?:in|to) (?:conclusion|conclude|summary|sum up),?\s+)?(?P<subject>[^,.;:!?]{12,90}?)\s+"
    r"(?:is|are|was|were|remains?|has|have|requires?|plays?|serves?|can|must|will|demands?)\s",
    re.IGNORECASE,
)
_SMALL = frozenset(
    str.split(
        "a an and as at but by for from in into nor of on or over per the through to under via "
        "with within without between"
    )
)
_LONGEST_TITLE_WORDS = 25


def could_be_title(text: str) -> bool:
    """Whether a first line has the form of a title: that of a heading, or somewhat longer.

    "Introduction", "1. Scope" or "Chapter 1" open a text but do not name it.
    """
    number = NUMBERED_HEADING.match(text)
    if _GENERIC.match(text) or (number and (not number["named"] or number.end() == len(text))):
        return False
    if could_be_heading(text):
        return True
    words = text.split()
    return (
        3 < len(words) <= _LONGEST_TITLE_WORDS
        and text[-1] not in ".,;:"
        and sum(word[0].isupper() for word in words) * 2 > len(words)
    )


def derived_title(blocks: Iterable[tuple[Lump, PieceKind | None]], fallback: str) -> str:
    """A title for text without one: the subject of the conclusion's first sentence.

    "Promoting trade through treaties is a long endeavour …" under a heading such as
    "Conclusion" gives "Promoting Trade through Treaties"; three words at least. Without such a
    sentence `fallback`.
    """
    closing = False
    for block, kind in blocks:
        if kind == "heading":
            closing = bool(_CLOSING.match(block.text))
        elif closing and kind == "paragraph":
            match = _SUBJECT.match(block.text)
            if match and 3 <= len(match["subject"].split()) <= 12:
                return title_case(match["subject"])
            closing = False
    return fallback


def title_case(text: str) -> str:
    """`text` with its words capitalised, small words in the middle apart."""
    words = text.split()
    return " ".join(
        word if place and word.lower() in _SMALL else word[0].upper() + word[1:]
        for place, word in enumerate(words)
    )


def title_from_name(stem: str) -> str:
    """A title from a file name: "free-trade_zones" gives "Free trade zones"."""
    words = re.sub(r"[\s_-]+", " ", stem).strip()
    return words[:1].upper() + words[1:] if words else stem
