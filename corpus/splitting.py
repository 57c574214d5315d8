"""`Document` → passages: whole paragraphs of one section, lists whole with their lead-in.

Owns the sizes, which sections are not searched, and SPLITTER_VERSION, which must change with
every change of what comes out. Knows nothing of files, formats, vectors or users.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from corpus.documents import (
    Block,
    Document,
    Passage,
    Section,
    Sentence,
    passage_id,
    quotable_notices,
)
from corpus.lines import marker_length
from corpus.sentences import sentence_spans

SPLITTER_VERSION = "3"

PASSAGE_WORDS = 180
"""A passage takes whole paragraphs up to about so many words."""
SHORT_REST = 30
"""A last passage of fewer words joins the one before it, if both stay under `LONGEST_JOINED`."""
LONGEST_JOINED = 210
LONGEST_PARAGRAPH = 350
"""A paragraph of more words is cut between sentences."""
LONGEST_LIST = 600
"""A list stays whole up to so many words; a longer one is cut between items."""
LONGEST_LEAD_IN = 60
"""A paragraph before a list leads into it if it ends with a colon or is no longer than this."""

_REFERENCE_HEADINGS = frozenset(
    str.split(
        "sources|source|see also|references|further reading|bibliography|"
        "external links|notes|footnotes|endnotes|works cited|related articles|"
        "related documents|related|links",
        "|",
    )
)
_WORD = re.compile(r"\w{4,}")
_STRETCH = re.compile(rf"\S{{1,900}}(?:\s+\S{{1,20}}(?!\S)){{0,{PASSAGE_WORDS - 1}}}")
"""At most so many words of ordinary length, or a piece of one endless word."""


@dataclass(frozen=True, kw_only=True)
class _Unit:
    """A stretch that stays together: its words and its blocks, or a part of one long block."""

    start: int
    end: int
    words: int


def is_reference_section(section: Section) -> bool:
    """Whether a section lists sources or related documents: shown, but neither searched nor quoted.

    Decided by the heading, or that of a section around it: "Sources", "See also", "References", …
    """
    return any(_bare(heading) in _REFERENCE_HEADINGS for heading in section.path)


def split(document: Document) -> tuple[Passage, ...]:
    """The passages of a document in order; `document.text[start:end] == text` for each.

    Each anticipated question goes to the one passage of its section that shares most of its
    words, the first of equals; a pointed one to the passage of its answer. A document
    without text to search gives none.
    """
    seen: dict[str, int] = {}
    passages: list[Passage] = []
    asks = dict(document.asks)
    asked: set[str] = set()
    for section in document.sections:
        if is_reference_section(section):
            continue
        spans = list(_spans(document.text, section))
        questions = asks.get(section.heading, ()) if section.heading not in asked else ()
        if spans and questions:
            asked.add(section.heading)
        shares = _share(questions, [document.text[start:end] for start, end in spans])
        for (start, end), questions_here in zip(spans, shares, strict=True):
            text = document.text[start:end]
            occurrence = seen.get(text, 0)
            seen[text] = occurrence + 1
            sentences = tuple(_sentences(document.text, section.blocks, start, end))
            passages.append(
                Passage(
                    id=passage_id(document.id, text, occurrence),
                    document_id=document.id,
                    heading=section.path,
                    text=text,
                    start=start,
                    end=end,
                    sentences=sentences,
                    asks=questions_here,
                    pointed=tuple(_pointed(document, section, sentences)),
                )
            )
    return tuple(passages)


def notice_passages(document: Document) -> tuple[Passage, ...]:
    """What a document says of itself, as passages: to be quoted, never searched."""
    at = document.sections[-1].end if document.sections else 0
    passages = []
    for occurrence, words in enumerate(quotable_notices(document.notices)):
        start = document.text.index(words, at)
        at = start + len(words)
        passages.append(
            Passage(
                id=passage_id(document.id, f"notice {words}", occurrence),
                document_id=document.id,
                heading=("About this document",),
                text=words,
                start=start,
                end=at,
                sentences=(Sentence(start=start, end=at),),
            )
        )
    return tuple(passages)


def _bare(heading: str) -> str:
    return re.sub(r"^[\W\d]+|\W+$", "", heading).casefold()


def _spans(text: str, section: Section) -> Iterator[tuple[int, int]]:
    groups: list[list[_Unit]] = []
    for unit in _units(text, section.blocks):
        if groups and _total(groups[-1]) + unit.words <= PASSAGE_WORDS:
            groups[-1].append(unit)
        else:
            groups.append([unit])
    if len(groups) > 1:
        rest, joined = _total(groups[-1]), _total(groups[-2]) + _total(groups[-1])
        if rest < SHORT_REST and joined <= LONGEST_JOINED:
            groups[-2:] = [groups[-2] + groups[-1]]
    for group in groups:
        yield group[0].start, group[-1].end


def _total(group: Sequence[_Unit]) -> int:
    return sum(unit.words for unit in group)


def _units(text: str, blocks: Sequence[Block]) -> Iterator[_Unit]:
    place = 0
    while place < len(blocks):
        block = blocks[place]
        first = place + (block.kind == "paragraph")
        end = first
        while end < len(blocks) and blocks[end].kind == "item":
            end += 1
        listed = end > first
        if block.kind == "paragraph" and listed and not _leads_in(text, block):
            yield from _paragraph(text, block)
            place += 1
        elif listed:
            yield from _list(text, blocks[place:end])
            place = end
        else:
            yield from _paragraph(text, block)
            place += 1


def _leads_in(text: str, block: Block) -> bool:
    words = text[block.start : block.end]
    return words.endswith((":", "：")) or _count(words) <= LONGEST_LEAD_IN


def _list(text: str, blocks: Sequence[Block]) -> Iterator[_Unit]:
    counts = [_count(text[block.start : block.end]) for block in blocks]
    if sum(counts) <= LONGEST_LIST and max(counts) <= LONGEST_PARAGRAPH:
        yield _Unit(start=blocks[0].start, end=blocks[-1].end, words=sum(counts))
        return
    start, end, words = blocks[0].start, blocks[0].start, 0
    for block, count in zip(blocks, counts, strict=True):
        if words and words + count > PASSAGE_WORDS:
            yield _Unit(start=start, end=end, words=words)
            start, words = block.start, 0
        if count > LONGEST_PARAGRAPH:
            yield from _paragraph(text, block)
            continue
        start = start if words else block.start
        end, words = block.end, words + count
    if words:
        yield _Unit(start=start, end=end, words=words)


def _paragraph(text: str, block: Block) -> Iterator[_Unit]:
    """The paragraph as one unit; one that is too long, as units of whole sentences."""
    body = text[block.start : block.end]
    total = _count(body)
    if total <= LONGEST_PARAGRAPH:
        yield _Unit(start=block.start, end=block.end, words=total)
        return
    start, end, words = block.start, block.start, 0
    for first, last in _short_spans(body):
        count = _count(body[first:last])
        if words and words + count > PASSAGE_WORDS:
            yield _Unit(start=start, end=end, words=words)
            start, words = block.start + first, 0
        end = block.start + last
        words += count
    yield _Unit(start=start, end=end, words=words)


def _short_spans(body: str) -> Iterator[tuple[int, int]]:
    """Sentences; one longer than a long paragraph (no full stops at all) in stretches."""
    for first, last in sentence_spans(body):
        if _count(body[first:last]) <= LONGEST_PARAGRAPH:
            yield first, last
            continue
        for stretch in _STRETCH.finditer(body, first, last):
            yield stretch.start(), stretch.end()


def _count(text: str) -> int:
    """Words; what has no spaces (other scripts, noise) counts a word for every 12 characters."""
    return max(len(text.split()), len(text) // 12)


def _sentences(text: str, blocks: Sequence[Block], start: int, end: int) -> Iterator[Sentence]:
    """The sentences of the blocks inside a passage, cut to it; an item is one sentence."""
    first_inside = bisect_right(blocks, start, key=lambda block: block.end)
    for place in range(first_inside, len(blocks)):
        block = blocks[place]
        first, last = max(block.start, start), min(block.end, end)
        if first >= last:
            return
        if block.kind == "item":
            marker = marker_length(text[first:last]) if first == block.start else 0
            body = first + marker
            yield Sentence(start=body, end=last, is_item=True)
            continue
        for begin, stop in _short_spans(text[first:last]):
            yield Sentence(start=first + begin, end=first + stop)


def _pointed(
    document: Document, section: Section, sentences: Sequence[Sentence]
) -> Iterator[tuple[str, int]]:
    """The pointed questions of a section that one of these sentences of it answers."""
    for one in document.pointed:
        if one.heading != section.heading:
            continue
        # Below the heading, which may hold the same words.
        at = document.text.find(one.words, section.blocks[0].start, section.end)
        for number, sentence in enumerate(sentences):
            if sentence.start <= at < sentence.end:
                yield one.question, number


def _share(questions: Sequence[str], texts: Sequence[str]) -> list[tuple[str, ...]]:
    shares: list[list[str]] = [[] for _ in texts]
    bags = [{word.casefold() for word in _WORD.findall(text)} for text in texts]
    for question in questions:
        words = {word.casefold() for word in _WORD.findall(question)}
        common = [len(words & bag) for bag in bags]
        if common:
            shares[common.index(max(common))].append(question)
    return [tuple(share) for share in shares]
