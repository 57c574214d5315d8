"""A stretch of a document laid out for reading: headings, paragraphs, lists, marked words.

Owns how offsets become pieces of text. Knows nothing of HTML, HTTP or answers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from corpus.documents import Block, Document, Passage

Span = tuple[int, int]
"""Start and end, counting characters of a document's text."""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Words of one look: `marked` is quoted, `dim` stands around the passage."""

    text: str
    marked: bool
    dim: bool


@dataclass(frozen=True, kw_only=True)
class Part:
    """A heading (with its level from 1 and an anchor), a paragraph or a whole list.

    `lines` holds one line, or a line for each item of a list.
    """

    kind: Literal["heading", "paragraph", "list"]
    lines: tuple[tuple[Piece, ...], ...]
    level: int = 0
    anchor: str = ""


def anchor(index: int) -> str:
    """The anchor of a document's section, counted from 0."""
    return f"section-{index}"


def lay_out(
    document: Document, stretch: Span, *, passage: Span | None = None, marked: Span | None = None
) -> tuple[Part, ...]:
    """The parts of `document` within `stretch`.

    What lies outside `passage` is dim, what lies inside `marked` is marked. Joined,
    the pieces of a block are exactly its words.
    """
    parts: list[Part] = []
    items: list[tuple[Piece, ...]] = []

    def close_list() -> None:
        if items:
            parts.append(Part(kind="list", lines=tuple(items)))
            items.clear()

    for index, section in enumerate(document.sections):
        if section.heading and stretch[0] <= section.start < stretch[1]:
            close_list()
            heading = Piece(text=section.heading, marked=False, dim=passage is not None)
            parts.append(
                Part(
                    kind="heading",
                    lines=((heading,),),
                    level=section.level,
                    anchor=anchor(index),
                )
            )
        for block in section.blocks:
            pieces = tuple(_pieces(document, _within(block, stretch), passage, marked))
            if not pieces:
                continue
            if block.kind == "item":
                items.append(pieces)
            else:
                close_list()
                parts.append(Part(kind="paragraph", lines=(pieces,)))
        close_list()
    return tuple(parts)


def _within(block: Block, stretch: Span) -> Span:
    return max(block.start, stretch[0]), min(block.end, stretch[1])


def _pieces(
    document: Document, span: Span, passage: Span | None, marked: Span | None
) -> Iterator[Piece]:
    start, end = span
    if start >= end:
        return
    edges = {start, end}
    for inner in (passage, marked):
        if inner is not None:
            edges |= {edge for edge in inner if start < edge < end}
    cuts = sorted(edges)
    for first, last in pairwise(cuts):
        yield Piece(
            text=document.text[first:last],
            marked=_covers(marked, first),
            dim=passage is not None and not _covers(passage, first),
        )


def _covers(span: Span | None, position: int) -> bool:
    return span is not None and span[0] <= position < span[1]


def surroundings(document: Document, passages: tuple[Passage, ...], passage: Passage) -> Span:
    """The stretch to show around a passage: the passages before and after it as well.

    `passages` are the document's own, in order.
    """
    index = next(i for i, other in enumerate(passages) if other.id == passage.id)
    near = passages[max(0, index - 1) : index + 2]
    start = min(other.start for other in near)
    # A heading that stands right above is part of what is read.
    for section in document.sections:
        if section.blocks and section.start < start <= section.blocks[0].start:
            start = section.start
    return start, max(other.end for other in near)
