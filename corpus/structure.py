"""Plain text → outline: title, headings, paragraphs and lists, found by rule without any markup.

Owns the order of the steps and which candidate is a heading. What a line looks like is in
`lines`, how deep a heading stands in `levels`, what is not text in `furniture`.
"""

import re
from collections.abc import Sequence
from itertools import pairwise

from corpus.documents import Notice
from corpus.furniture import ai_notice, announces, is_furniture
from corpus.levels import HeadedText, levels
from corpus.lines import NUMBERED_HEADING, Lump, could_be_heading, item_number, lumps
from corpus.outline import Outline, Piece, PieceKind
from corpus.titles import could_be_title, derived_title

_NOTICE_REACH = 6
"""A notice on a source stands among its first or last so many blocks."""
_PROMOTION_REACH = 4
_CONTENTS_LINES = 3
"""Heading-like lines without text between them that make a table of contents or a plain list."""


def plain_outline(text: str, fallback_title: str) -> Outline:
    """The outline of clean plain text.

    The first line is the title if it has the form of one and text follows; otherwise the title
    is derived (`titles.derived_title`), from `fallback_title` where nothing better is found.
    """
    blocks, notices = _without_furniture(lumps(text))
    title, blocks = _take_title(blocks)
    blocks = _without_promotion(blocks, title)
    marks = _unlist_contents(blocks, _mark(blocks))
    kept = [(block, kind) for block, kind in zip(blocks, marks, strict=True) if kind]
    derived = "" if title else derived_title(kept, fallback_title)
    return Outline(
        pieces=_pieces(kept, title or derived),
        title=title or derived,
        title_derived=not title,
        notices=notices,
    )


def _without_furniture(blocks: Sequence[Lump]) -> tuple[list[Lump], tuple[Notice, ...]]:
    kept = [block for block in blocks if not is_furniture(block.raw)]
    rest: list[Lump] = []
    notices: list[Notice] = []
    for place, block in enumerate(kept):
        near_edge = place < _NOTICE_REACH or place >= len(kept) - _NOTICE_REACH
        notice = ai_notice(block.text) if near_edge else None
        if notice:
            notices.append(notice)
        else:
            rest.append(block)
    return rest, tuple(dict.fromkeys(notices))


def _take_title(blocks: list[Lump]) -> tuple[str, list[Lump]]:
    if len(blocks) > 1 and not blocks[0].is_item and could_be_title(blocks[0].text):
        return blocks[0].text, blocks[1:]
    return "", blocks


def _without_promotion(blocks: Sequence[Lump], title: str) -> list[Lump]:
    head = [block for block in blocks[:_PROMOTION_REACH] if not announces(block.text, title)]
    return head + list(blocks[_PROMOTION_REACH:])


def _mark(blocks: Sequence[Lump]) -> list[PieceKind | None]:
    """The kind of each block. A heading has the form of one, and a block of text follows it.

    Of three or more heading-like lines in a row, only the last can be a heading; the others are
    items where a lead-in with a colon comes before, else paragraphs.
    """
    marks: list[PieceKind | None] = ["item" if block.is_item else "paragraph" for block in blocks]
    numbered = _numbered_headings(blocks)
    place = 0
    while place < len(blocks):
        run = place
        while run < len(blocks) and _headlike(blocks[run], run in numbered):
            run += 1
        if run > place:
            marks[place:run] = _run_kinds(blocks, place, run, numbered)
        place = max(run, place + 1)
    return marks


def _run_kinds(
    blocks: Sequence[Lump], start: int, end: int, numbered: frozenset[int]
) -> list[PieceKind | None]:
    """The kinds of the heading-like lines from `start` to `end`.

    After a lead-in with a colon, and in a row of three or more, the last line is a heading only
    where the empty lines set it apart from the others.
    """
    run = blocks[start:end]
    followed = end < len(blocks)
    led = start > 0 and not blocks[start - 1].is_item and blocks[start - 1].text.endswith(":")
    apart = run[-1].gap and not all(block.gap for block in run[1:-1])
    kinds: list[PieceKind | None] = ["paragraph"] * len(run)
    if followed and all(place in numbered for place in range(start, end)):
        heads = len(run)
    elif led and len(run) > 1:
        kinds = ["item"] * len(run)
        heads = 1 if followed and apart and len(run) > 2 else 0
    elif len(run) < _CONTENTS_LINES:
        heads = len(run)
    else:
        heads = 1 if run[-1].gap or not any(block.gap for block in blocks[1:]) else 0
    if not followed:  # the last line of the text heads nothing, the one before it may
        heads, run = max(0, heads - 1), run[:-1]
    kinds[len(run) - heads : len(run)] = ["heading"] * heads
    return kinds


def _headlike(block: Lump, numbered: bool) -> bool:
    return numbered or (not block.is_item and could_be_heading(block.text))


def _numbered_headings(blocks: Sequence[Lump]) -> frozenset[int]:
    """Places of the lines "1. Scope" that are headings though they look like list items.

    They have the form of a heading, no item stands next to them, text follows, and there are
    at least two of them whose numbers rise.
    """
    found: list[int] = []
    for place, block in enumerate(blocks):
        if not NUMBERED_HEADING.match(block.text) or not could_be_heading(block.text):
            continue
        follower = blocks[place + 1] if place + 1 < len(blocks) else None
        if follower is None:
            continue
        beside = [blocks[place - 1]] if place else []
        if block.is_item and any(other.is_item for other in (*beside, follower)):
            deeper = re.match(r"\d+\.\d", follower.text)
            if not deeper and not (beside and _ends_list(beside[0], block)):
                continue
        found.append(place)
    numbers = [item_number(blocks[place].text) or 0 for place in found if blocks[place].is_item]
    rising = len(numbers) >= 2 and all(a < b for a, b in pairwise(numbers))
    return frozenset(place for place in found if rising or not blocks[place].is_item)


def _ends_list(before: Lump, block: Lump) -> bool:
    """Whether `before` is an item of another list than the numbered line `block` could be in."""
    return (
        before.is_item and item_number(before.text) is None and item_number(block.text) is not None
    )


def _unlist_contents(
    blocks: Sequence[Lump], marks: Sequence[PieceKind | None]
) -> list[PieceKind | None]:
    """The marks without a table of contents: three or more lines that recur as headings below."""
    headings = {
        block.text.casefold()
        for block, kind in zip(blocks, marks, strict=True)
        if kind == "heading"
    }
    result = list(marks)
    place = 0
    while place < len(blocks):
        run = place
        while (
            run < len(blocks)
            and marks[run] != "heading"
            and (_without_page(blocks[run].text) in headings)
        ):
            run += 1
        if run - place >= _CONTENTS_LINES:
            result[place:run] = [None] * (run - place)
        place = max(run, place + 1)
    return result


def _without_page(line: str) -> str:
    """A line of a table of contents without the dots and the page number at its end."""
    return re.sub(r"[\s.·…]+\d+$", "", line[:300]).casefold()


def _pieces(kept: Sequence[tuple[Lump, PieceKind | None]], title: str) -> tuple[Piece, ...]:
    depths = iter(levels(_headed(kept), title))
    pieces: list[Piece] = []
    for place, (block, kind) in enumerate(kept):
        if kind == "heading":
            pieces.append(Piece(kind="heading", text=block.text, level=next(depths)))
        elif kind == "item":
            fresh = (
                place == 0 or kept[place - 1][1] != "item" or _restarts(kept[place - 1][0], block)
            )
            pieces.append(Piece(kind="item", text=block.text, opens_list=fresh))
        else:
            pieces.append(Piece(kind="paragraph", text=block.text))
    return tuple(pieces)


def _restarts(before: Lump, block: Lump) -> bool:
    """Whether a new list begins: the number starts again at 1 after an empty line."""
    number, last = item_number(block.text), item_number(before.text)
    return block.gap and number == 1 and last is not None


def _headed(kept: Sequence[tuple[Lump, PieceKind | None]]) -> list[HeadedText]:
    starts = [place for place, (_, kind) in enumerate(kept) if kind == "heading"]
    ends = [*starts[1:], len(kept)]
    return [
        HeadedText(
            heading=kept[start][0].text,
            paragraphs=tuple(b.text for b, kind in kept[start + 1 : end] if kind == "paragraph"),
            items=tuple(b.text for b, kind in kept[start + 1 : end] if kind == "item"),
        )
        for start, end in zip(starts, ends, strict=False)
    ]
