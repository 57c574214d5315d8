"""Plain lines → blocks: paragraphs, list items and lines that could be headings.

Owns how list markers look, how hard-wrapped lines become paragraphs again, and what form a
heading has when nothing marks it. Does not decide which candidate is a heading, nor levels.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from corpus.cleaning import one_line

BULLETS = "•●○▪■□◦‣⁃∙·►➢✓✔\uf0b7\uf0a7"
_MARKER = re.compile(
    rf"^(?:[{BULLETS}]\s*|[*+–—-]\s+|\(?\d{{1,3}}[.)]\s+|\([a-zA-Z]\)\s+|[a-z]\)\s+"
    r"|\(?(?:x{0,3}(?:ix|iv|v?i{1,3}|v|x))[.)]\s+)(?=\S)"
)
_NUMBER = re.compile(r"^\(?(\d{1,3})[.)]\s")
NUMBERED_HEADING = re.compile(
    r"^(?:(?P<digits>\d{1,2}(?:\.\d{1,2})+)\.?|(?P<single>\d{1,2})[.)]"
    r"|(?P<roman>[IVX]{1,5})[.)]"
    r"|(?P<named>(?:Chapter|Part|Section|Article|Annex|Appendix)\s+(?:\d+|[IVXLC]+)\b)\s*[.:–—-]?)"
    r"(?:\s+|$)"
)
_LONGEST_HEADING_WORDS = 16
_LONGEST_HEADING = 130
_SENTENCE_INSIDE = re.compile(r"[^\W\d_]{3,}[.!?][\"”’)]*\s+[A-Z“\"]")
_VERB = re.compile(
    r"\b(?:is|are|was|were|has|have|had|will|would|can|could|must|should|may|might|shall|did|does)\b"
)
_NOT_A_HEADING = re.compile(
    r"(?i)^(?:by\s+[A-Z]|https?://|www\.|\S+@\S+|(?:published|posted|updated|date|author|source|"
    r"tags?|categor(?:y|ies)|photo|image|figure|fig\.|table|tel|phone|fax|e-?mail)\b\s*[:.])"
    r"|^\W*(?:\d{1,2}\s+)?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s+\d"
)
_WRAP_LONGEST = 120
"""No hard-wrapped text has longer lines than this; a paragraph on one line usually does."""


@dataclass(frozen=True, kw_only=True)
class Lump:
    """A block on its way: its text on one line, and whether an empty line stood before it.

    `is_item` is true for a line that begins with a list marker; `raw` keeps inner spaces.
    """

    text: str
    raw: str
    is_item: bool
    gap: bool


def lumps(text: str) -> list[Lump]:
    """The blocks of clean text, hard-wrapped lines joined where the text is hard-wrapped."""
    lines = [line.rstrip() for line in text.split("\n")]
    return list(_wrapped(lines) if is_wrapped(lines) else _one_a_line(lines))


def is_wrapped(lines: Sequence[str]) -> bool:
    """Whether line breaks fall inside sentences: lines of like length that end anywhere.

    Asked of the lines that another line follows directly: 95 in 100 must be at most 120
    characters, and most of the longer ones must not end where a sentence does.
    """
    inner = [
        line.strip()
        for line, following in pairwise(lines)
        if line.strip() and following.strip() and not starts_item(following)
    ]
    if len(inner) < 3:
        return False
    lengths = sorted(len(line) for line in inner)
    if lengths[int(len(lengths) * 0.95) - (len(lengths) == 1)] > _WRAP_LONGEST:
        return False
    full = [line for line in inner if len(line) >= lengths[-1] * 0.6]
    broken = sum(1 for line in full if line[-1] not in '.!?:;”"')
    return len(full) * 2 >= len(inner) and broken * 2 > len(full) and lengths[-1] >= 40


def starts_item(line: str) -> bool:
    """Whether a line begins with a list marker."""
    return bool(_MARKER.match(line.lstrip()))


def marker_length(text: str) -> int:
    """How many characters of an item its marker and the space after it take."""
    match = _MARKER.match(text)
    return match.end() if match else 0


def item_number(text: str) -> int | None:
    """The number in an item's marker, if it has one."""
    match = _NUMBER.match(text)
    return int(match[1]) if match else None


def _one_a_line(lines: Iterable[str]) -> Iterable[Lump]:
    pending: list[str] = []
    gap, pending_gap = True, True
    for line in lines:
        if not line.strip():
            gap = True
            continue
        continues = pending and not gap and line[:2].isspace() and starts_item(pending[0])
        if continues and not starts_item(line):
            pending.append(line)
            continue
        if pending:
            yield _lump(pending, pending_gap)
        pending, pending_gap, gap = [line], gap, False
    if pending:
        yield _lump(pending, pending_gap)


def _wrapped(lines: Sequence[str]) -> Iterable[Lump]:
    """Paragraphs of hard-wrapped lines.

    A paragraph ends at an empty line, before a list item, around a line that looks like a
    heading, and after a short line that ends a sentence (PDF text has no empty lines).
    """
    width = max((len(line) for line in lines if len(line) <= _WRAP_LONGEST), default=0)
    words = frozenset(re.findall(r"[\w-]+", "\n".join(lines)))
    pending: list[str] = []
    gap, pending_gap = True, True
    for position, line in enumerate(lines):
        if not line.strip():
            gap = True
            continue
        following = lines[position + 1] if position + 1 < len(lines) else ""
        if pending and (gap or _breaks(pending, line, following, width)):
            yield _lump(pending, pending_gap, words)
            pending = []
        if not pending:
            pending_gap = gap
        pending.append(line)
        gap = False
    if pending:
        yield _lump(pending, pending_gap, words)


def _breaks(pending: Sequence[str], line: str, following: str, width: int) -> bool:
    last = pending[-1].strip()
    if starts_item(line):
        return True
    if starts_item(pending[0]) and line[:1].isspace() and not last.endswith((".", ";")):
        return False
    ended = last[-1] in '.!?:”"' and len(last) < width * 0.85
    if ended:
        return True
    alone = len(pending) == 1 and len(last) < width * 0.75
    if alone and stands_out(last) and line.strip()[0].isupper():
        return True
    closed = last[-1] in '.!?”")'
    return closed and len(line) < width * 0.75 and stands_out(line.strip()) and bool(following)


def stands_out(line: str) -> bool:
    """Whether a line has the form of a heading inside running text: capitals or a number."""
    if not could_be_heading(line):
        return False
    if line.isupper() or NUMBERED_HEADING.match(line):
        return True
    words = [word for word in re.findall(r"[^\W\d_]+", line) if len(word) > 3]
    return bool(words) and all(word[0].isupper() for word in words)


def _lump(lines: Sequence[str], gap: bool, words: frozenset[str] = frozenset()) -> Lump:
    joined = lines[0].strip()
    for line in lines[1:]:
        joined = _join(joined, line.strip(), words)
    return Lump(text=one_line(joined), raw=plain_gap(joined), is_item=starts_item(joined), gap=gap)


def _join(before: str, after: str, words: frozenset[str]) -> str:
    """Two lines as one. A hyphen at the line end goes unless the text spells the word with it."""
    head = re.search(r"([^\W\d_]+)-$", before)
    tail = re.match(r"[^\W\d_]+", after)
    if not head or not tail or not tail[0][0].islower():
        return f"{before} {after}"
    if f"{head[1]}-{tail[0]}" in words and head[1] + tail[0] not in words:
        return before + after
    return before[:-1] + after


def plain_gap(line: str) -> str:
    """`line` with every white-space character a space, wide gaps kept as two spaces."""
    return re.sub(r" {2,}", "  ", re.sub(r"\s", " ", line.strip()))


def could_be_heading(text: str) -> bool:
    """Whether a line has the form of a heading; what follows it decides whether it is one.

    Short, begins with a capital, a digit or a quotation mark, does not end like a sentence or
    lead-in, holds no second sentence, is no byline, date, address or caption, and is not a
    sentence whose full stop was forgotten (six words or more in small letters with a verb).
    """
    words = text.split()
    if not words or len(words) > _LONGEST_HEADING_WORDS or len(text) > _LONGEST_HEADING:
        return False
    if text[-1] in ".,;:!…&-" or not re.search(r"[^\W\d_]{2}", text):
        return False
    first = text.lstrip("\"“'‘«¿(")[:1]
    if not (first.isupper() or first.isdigit() or _caseless(first)):
        return False
    bare = NUMBERED_HEADING.sub("", text)
    if _SENTENCE_INSIDE.search(bare) or _NOT_A_HEADING.match(text):
        return False
    small = sum(1 for word in words[1:] if word[0].islower())
    forgotten_stop = len(words) >= 6 and small * 2 > len(words) and _VERB.search(text)
    return not forgotten_stop or text.endswith("?")


def _caseless(letter: str) -> bool:
    return letter.isalpha() and letter.lower() == letter.upper()
