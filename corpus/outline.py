"""The common form that every loader produces, and how it becomes the text of a `Document`.

Owns the layout of the canonical text: which characters stand between blocks and where each
block, heading and section begins and ends. Knows nothing of formats or files.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from corpus.cleaning import one_line
from corpus.documents import Block, Notice, Section, StatedDifference
from corpus.furniture import ai_notice, is_furniture

PieceKind = Literal["heading", "paragraph", "item"]


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A heading, paragraph or list item in reading order, before offsets are known.

    `level` counts from 1 for a heading and is 0 otherwise. `opens_list` marks the first item of
    a list, so that two lists that touch stay two. An item's `text` includes its marker.
    """

    kind: PieceKind
    text: str
    level: int = 0
    opens_list: bool = False


@dataclass(frozen=True, kw_only=True)
class Outline:
    """What a loader found in one file. `title_derived` is true where no line of it is the title."""

    pieces: tuple[Piece, ...]
    title: str = ""
    title_derived: bool = False
    kind: str = ""
    url: str = ""
    publisher: str = ""
    published: str = ""
    language: str = ""
    notices: tuple[Notice, ...] = ()
    differences: tuple[StatedDifference, ...] = ()


def assemble(pieces: Iterable[Piece]) -> tuple[str, tuple[Section, ...]]:
    """The canonical text of `pieces` and its sections.

    Blocks are separated by an empty line, items of one list by a line break. Text before the
    first heading forms a section of level 0. Every section holds the offsets of its blocks.
    """
    parts: list[str] = []
    offset = 0
    drafts: list[tuple[Piece | None, int, list[Block]]] = []
    previous: Piece | None = None
    for piece in _tidy(pieces):
        joint = "" if previous is None else "\n\n"
        if previous and piece.kind == previous.kind == "item" and not piece.opens_list:
            joint = "\n"
        parts += (joint, piece.text)
        start, end = offset + len(joint), offset + len(joint) + len(piece.text)
        offset, previous = end, piece
        if piece.kind == "heading":
            drafts.append((piece, start, []))
            continue
        if not drafts:
            drafts.append((None, start, []))
        drafts[-1][2].append(Block(kind=piece.kind, start=start, end=end))
    return "".join(parts), tuple(_sections(drafts))


def _tidy(pieces: Iterable[Piece]) -> Iterable[Piece]:
    for piece in pieces:
        text = one_line(piece.text)
        if text:
            yield Piece(kind=piece.kind, text=text, level=piece.level, opens_list=piece.opens_list)


def _sections(drafts: Sequence[tuple[Piece | None, int, list[Block]]]) -> Iterable[Section]:
    open_headings: list[tuple[int, str]] = []
    for heading, start, blocks in drafts:
        level, words = (heading.level, heading.text) if heading else (0, "")
        if heading:
            while open_headings and open_headings[-1][0] >= level:
                open_headings.pop()
            open_headings.append((level, words))
        end = blocks[-1].end if blocks else start + len(words)
        path = tuple(text for _, text in open_headings)
        yield Section(
            heading=words, level=level, path=path, start=start, end=end, blocks=tuple(blocks)
        )


def take_notices(pieces: Sequence[Piece], reach: int) -> tuple[list[Piece], list[Notice]]:
    """`pieces` without page furniture and declarations of AI, and those declarations.

    A declaration counts within `reach` pieces of either end; elsewhere it is text.
    """
    kept: list[Piece] = []
    notices: list[Notice] = []
    for place, piece in enumerate(pieces):
        edge = place < reach or place >= len(pieces) - reach
        notice = ai_notice(piece.text) if edge and piece.kind == "paragraph" else None
        if notice:
            notices.append(notice)
        elif piece.kind != "paragraph" or not is_furniture(piece.text):
            kept.append(piece)
    return kept, notices


def normalised_levels(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """The same pieces with the outermost heading at level 1, whatever the format called it."""
    top = min((piece.level for piece in pieces if piece.kind == "heading"), default=1)
    return tuple(
        Piece(kind="heading", text=piece.text, level=piece.level - top + 1)
        if piece.kind == "heading"
        else piece
        for piece in pieces
    )
