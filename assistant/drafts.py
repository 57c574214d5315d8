"""Lines of a written answer, marked with the passages they name → its sentences.

Owns where a sentence of a chat model begins and ends, which markers are its own, and
what of Markdown is only decoration. Knows nothing of streams or of how markers look.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from assistant.prompts import DIFFERENCE
from assistant.rendering import plain
from corpus.sentences import sentence_spans

Joint = Literal["", "paragraph", "item"]

_ITEM = re.compile(r"(?:(?:[-*•–‣◦]|\d{1,3}[.)])\s+)+(?=\S)")
_OPENING = re.compile(r"(?:\s*(?:#{1,6}\s+|>\s?))*\s*")
_RULE_LINE = re.compile(r"\s*(?:[-*_]\s*){3,}$|\s*```.*$|\s*~~~.*$")
_DEFINITION_LINE = re.compile(r"\s*\[[^\]\n]+\]:\s")
_STRONG = re.compile(r"\*\*|__|`+|~~")
_SOFT = re.compile(r"(?<!\w)([*_])(\S(?:[^*_\n]*\S)?)\1(?!\w)")
_NEXT_WORD = re.compile(r"\s*\S+\s")
_SPACE_BEFORE_STOP = re.compile(r"\s+(?=[.,;:!?…](?:\s|$))")


@dataclass(frozen=True, kw_only=True)
class Segment:
    """Words of a sentence, and the passages (numbers from 1) named right behind them."""

    text: str
    passages: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A sentence as the model wrote it, without its markers, before anything is checked.

    `segments` are its words up to each group of markers; what follows the last one is
    in `text` only. `joint` says how it follows what stands before.
    """

    text: str
    segments: tuple[Segment, ...]
    joint: Joint

    @property
    def passages(self) -> tuple[int, ...]:
        """The numbers of all passages it names, each once, in order."""
        return tuple(dict.fromkeys(n for segment in self.segments for n in segment.passages))

    @property
    def is_lead(self) -> bool:
        """Whether it leads in to what follows it: "These take part:"."""
        return self.text.endswith(":")

    def resting_on(self, passages: tuple[int, ...]) -> "Draft":
        """The same sentence, as if its end named these passages."""
        return replace(self, segments=(Segment(text=self.text, passages=passages),))


@dataclass(frozen=True, kw_only=True)
class ClaimedDifference:
    """A fact on which, so the model says, some passages contradict each other."""

    about: str
    passages: tuple[int, ...]


class Line:
    """One line of an answer: its text without markers, and where the markers stood."""

    def __init__(self) -> None:
        self._text = ""
        self._marks: list[tuple[int, tuple[int, ...]]] = []
        self._given = 0

    def add(self, text: str) -> None:
        """More words."""
        text = plain(text).replace("\t", " ")
        after_mark = bool(self._marks) and self._marks[-1][0] == len(self._text)
        if after_mark and self._text and text[:1].isalnum():
            self._text += " "
        self._text += text

    def mark(self, passages: tuple[int, ...]) -> None:
        """A marker of `passages` behind the words so far; none, where they were invented."""
        self._text = self._text.rstrip(" ")
        if passages:
            self._marks.append((len(self._text), passages))

    def drafts(self, *, final: bool) -> Iterator[Draft]:
        """The sentences that are whole and not given yet; all of them once the line has ended."""
        start = self._head[: len(DIFFERENCE)].upper()
        if start and DIFFERENCE.startswith(start) and (not final or start == DIFFERENCE):
            return
        if _RULE_LINE.match(self._text) or _DEFINITION_LINE.match(self._text):
            return
        # Where a sentence ends may depend on the one before it, so all are read again.
        begin = self._content
        for span in sentence_spans(self._text[begin:]):
            first, last = max(begin + span[0], self._given), begin + span[1]
            if last <= self._given:
                continue
            # The word after a sentence may still tell that the sentence goes on.
            if not final and not _NEXT_WORD.match(self._text, last):
                return
            draft = self._draft(first, last)
            if draft is not None:
                yield draft

    def difference(self) -> ClaimedDifference | None:
        """What the line says of passages that contradict each other, if that is what it is for."""
        if not self._head.upper().startswith(DIFFERENCE):
            return None
        about = bare(self._head[len(DIFFERENCE) :]).strip(" .:;,*")
        passages = tuple(dict.fromkeys(n for _, numbers in self._marks for n in numbers))
        return ClaimedDifference(about=about, passages=passages) if about else None

    @property
    def _content(self) -> int:
        """Where its words begin, behind signs of lists, headings and quotations."""
        opening = _OPENING.match(self._text)
        begin = opening.end() if opening else 0
        item = _ITEM.match(self._text, begin)
        return item.end() if item else begin

    @property
    def _head(self) -> str:
        return self._text[self._content :].lstrip("*_ ")

    @property
    def _is_item(self) -> bool:
        opening = _OPENING.match(self._text)
        return bool(_ITEM.match(self._text, opening.end() if opening else 0))

    def _draft(self, start: int, end: int) -> Draft | None:
        joint: Joint = "" if self._given else "item" if self._is_item else "paragraph"
        segments = self._segments(start, end)
        text = bare(self._text[start:end])
        if not any(char.isalnum() for char in text):
            return None
        self._given = end
        return Draft(text=text, segments=segments, joint=joint)

    def _segments(self, start: int, end: int) -> tuple[Segment, ...]:
        """The words before each group of markers of the sentence from `start` to `end`."""
        following = self._text[end:]
        # A marker behind the full stop belongs to what it follows, one before the first
        # sentence of a line to that sentence.
        earliest = start if self._given else 0
        segments: list[Segment] = []
        begin = start
        for at, numbers in self._marks:
            if at < earliest or (self._given and at == self._given):
                continue
            if at > end + len(following) - len(following.lstrip()):
                break
            words = bare(self._text[begin : max(begin, min(at, end))])
            if segments and not words:
                last = segments[-1]
                merged = tuple(dict.fromkeys((*last.passages, *numbers)))
                segments[-1] = Segment(text=last.text, passages=merged)
            else:
                segments.append(Segment(text=words, passages=numbers))
            begin = max(begin, min(at, end))
        return tuple(segments)


def bare(text: str) -> str:
    """Words without Markdown's emphasis, on one line."""
    text = " ".join(_SOFT.sub(r"\2", _STRONG.sub("", text)).split())
    return _SPACE_BEFORE_STOP.sub("", text)
