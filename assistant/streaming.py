"""What a chat model writes, piece by piece → its sentences with the passages they name.

Owns the understanding of markers in every style that models use, and what never gets
through: HTML, images, links, addresses, thoughts, control characters, numbers of no
passage. A piece is held back until its marker, its word and its sentence are whole.
Knows nothing of what the passages say.
"""

import re
from collections.abc import Iterator

from assistant.drafts import ClaimedDifference, Draft, Line

_HELD = 600
"""Characters within which an opened bracket or tag has to close; else it is none."""

_MOST_IN_RANGE = 10

_OPENER = re.compile(
    r"[\[【［(<!\\]|\b(?:(?:https?|ftp)://|www\.(?=\w)|(?:javascript|vbscript|data):(?=\S))", re.I
)
_BRACKETS = re.compile(
    r"\[{1,2}([^\[\]\n]{0,400})\]{1,2}|【([^【】\n]{0,400})】|［([^［］\n]{0,400})］"
)
_ROUND = re.compile(r"\(([\d\s,;–-]{1,60})\)")
_OPEN_ROUND = re.compile(r"\([\d\s,;–-]{0,60}\Z")
_IMAGE = re.compile(r"!\[[^\]\n]*\](?:\([^)\n]*\)|\[[^\]\n]*\])?")
_TARGET = re.compile(r"\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*(?:\s+\"[^\"\n]*\")?\)")
_OPEN_TARGET = re.compile(rf"\([^)\n]{{0,{_HELD}}}\Z")
_REFERENCE = re.compile(r"\[[^\]\n]*\]")
_OPEN_REFERENCE = re.compile(rf"\[[^\]\n]{{0,{_HELD}}}\Z")
_HIDDEN = re.compile(
    r"<(think|thinking|thought|reasoning|script|style|iframe|object|svg|template)\b[^<>]*>", re.I
)
_TAG = re.compile(r"<!--.*?-->|</?[A-Za-z!?][^<>]*>", re.DOTALL)
_TAG_BEGINS = re.compile(r"<[A-Za-z/!?]")
_ADDRESS = re.compile(r"[a-z]+:(?!//)[^\s\[\]<>【】［］]+|[^\s\[\]()<>【】［］]+", re.I)

_WORDS = re.compile(
    r"\b(?:passages?|sources?|evidence|references?|refs?|citations?|documents?|docs?|nos?|pp?"
    r"|and|et|und|y|e|see|cf|fuentes?|pasajes?|quellen?)\b\.?",
    re.I,
)
_INNER = re.compile(r"[,;]?\s*(?:sentences?|sent\.?|s\.)\s*\d+(?:\s*[-–—,]\s*\d+)*|[.:]\d+", re.I)
_RANGE = re.compile(r"(\d{1,6})\s*[-–—]\s*(\d{1,6})")
_NUMBER = re.compile(r"\d{1,6}")
_BETWEEN = re.compile(r"[\s,;&+#^:|/_\\]*")


class Grounder:
    """Reads one stream. Feed it pieces; it gives sentences as soon as they are whole.

    `invented` counts the markers of no passage, which are dropped; `differences` are
    those the model reports, complete at the end.
    """

    def __init__(self, passages: int, *, round_brackets: bool = False) -> None:
        """`passages` is how many there are; `round_brackets` whether (1) is a marker too."""
        self.invented = 0
        self.differences: list[ClaimedDifference] = []
        self._passages = passages
        self._round = round_brackets
        self._raw = ""
        self._line = Line()

    def feed(self, piece: str) -> Iterator[Draft]:
        """The sentences that are whole once `piece` has come."""
        self._raw += piece
        yield from self._read(final=False)

    def finish(self) -> Iterator[Draft]:
        """What is left at the end of the stream."""
        yield from self._read(final=True)
        yield from self._end_line()

    def _read(self, *, final: bool) -> Iterator[Draft]:
        """Take what is whole from the raw text; the word at its end may still grow."""
        at, raw = 0, self._raw
        limit = len(raw) if final else max(raw.rfind(" "), raw.rfind("\n")) + 1
        while at < limit:
            if raw[at] == "\n":
                at += 1
                yield from self._end_line()
                continue
            opener = _OPENER.search(raw, at, limit)
            line_end = raw.find("\n", at, limit)
            ends = (opener.start() if opener else limit, line_end if line_end >= 0 else limit)
            if min(ends) > at:
                self._line.add(raw[at : min(ends)])
                at = min(ends)
                continue
            taken = self._construct(raw, at, final=final)
            if taken is None:
                break
            at = taken
        self._raw = raw[at:]
        yield from self._line.drafts(final=False)

    def _end_line(self) -> Iterator[Draft]:
        yield from self._line.drafts(final=True)
        if (difference := self._line.difference()) is not None:
            self.differences.append(difference)
        self._line = Line()

    def _construct(self, raw: str, at: int, *, final: bool) -> int | None:
        """Take the construct that opens at `at`; where it ends, or None while it is not whole."""
        first = raw[at]
        if first.isalpha():
            address = _ADDRESS.match(raw, at)
            return address.end() if address else at + 1
        if first == "\\":  # an escaped bracket is a bracket
            return at + 1
        if first == "<" and (hidden := _hidden_end(raw, at)) is not None:
            return hidden or (len(raw) if final else None)
        take = {"<": self._tag, "!": self._image, "(": self._parenthesis}.get(first, self._bracket)
        found = take(raw, at, final)
        if found is not None:
            return found
        rest = raw[at:]
        if not final and len(rest) < _HELD and (first == "<" or "\n" not in rest):
            return None
        return at + 1  # it never closes: without its sign it is harmless

    def _tag(self, raw: str, at: int, _final: bool) -> int | None:
        tag = _TAG.match(raw, at)
        if tag is not None:
            return tag.end()
        if not _TAG_BEGINS.match(raw, at):
            self._line.add("<")
            return at + 1
        return None

    def _image(self, raw: str, at: int, final: bool) -> int | None:
        image = _IMAGE.match(raw, at)
        if image is not None:
            end = image.end()
            return None if not final and (end == len(raw) or _is_cut(raw, end)) else end
        if raw[at + 1 : at + 2] != "[":
            self._line.add("!")
            return at + 1
        return None

    def _bracket(self, raw: str, at: int, final: bool) -> int | None:
        """A marker, a link of which only the words are kept, or words in brackets."""
        found = _BRACKETS.match(raw, at)
        if found is None or (not final and found.end() == len(raw)):
            return None  # a second bracket may still come: [[1]]
        content = next(group for group in found.groups() if group is not None)
        end = found.end()
        if not final and _is_cut(raw, end):
            return None
        target = _TARGET.match(raw, end)
        numbers = marker_numbers(content)
        if numbers:
            self._mark(numbers)
            return target.end() if target else end
        if target is not None:
            self._line.add(content)
            return target.end()
        reference = _REFERENCE.match(raw, end)
        if reference is not None and not marker_numbers(reference[0][1:-1]):
            self._line.add(content)
            return reference.end()
        self._line.add(f"[{content}]" if content.strip() else "")
        return end

    def _parenthesis(self, raw: str, at: int, final: bool) -> int | None:
        """A marker, where round brackets were asked for; else a bracket like any other sign."""
        if self._round:
            found = _ROUND.match(raw, at)
            if found and (numbers := marker_numbers(found[1])):
                self._mark(numbers)
                return found.end()
            if not final and _OPEN_ROUND.match(raw, at):
                return None
        self._line.add("(")  # what is inside may hold a marker or an address
        return at + 1

    def _mark(self, numbers: tuple[int, ...]) -> None:
        known = [number for number in numbers if 1 <= number <= self._passages]
        self.invented += len(numbers) - len(known)
        self._line.mark(tuple(dict.fromkeys(known)))


def marker_numbers(content: str) -> tuple[int, ...]:
    """The passages that the inside of a bracket names; empty where it is no marker.

    Understands "1", "1, 2", "1-3", "passage 1", "^1", "1†source", "1:0†lines" and
    "passage 1, sentence 2".
    """
    rest = _INNER.sub("", content.split("†", maxsplit=1)[0])
    numbers: list[int] = []
    for first, last in _RANGE.findall(rest):
        if int(first) < int(last) < int(first) + _MOST_IN_RANGE:
            numbers += range(int(first), int(last) + 1)
    loose = _RANGE.sub(" ", rest) if numbers else rest.replace("-", " ")
    numbers += [int(number) for number in _NUMBER.findall(loose)]
    left = _WORDS.sub(" ", _NUMBER.sub(" ", loose))
    return tuple(numbers) if numbers and _BETWEEN.fullmatch(left) else ()


def _is_cut(raw: str, at: int) -> bool:
    """Whether the target or the reference that opens at `at` is not whole yet."""
    return bool(_OPEN_TARGET.match(raw, at) or _OPEN_REFERENCE.match(raw, at))


def _hidden_end(raw: str, at: int) -> int | None:
    """Where an element ends whose text is not for readers; 0 if not yet, None if there is none."""
    opening = _HIDDEN.match(raw, at)
    if opening is None:
        return None
    closing = re.compile(rf"</{opening[1]}\s*>", re.I).search(raw, opening.end())
    return closing.end() if closing else 0
