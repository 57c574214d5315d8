"""What counts as found, as said and as exact: the rules an answer is scored by.

Owns the comparison of texts and where a gold quotation stands. Knows nothing of
figures over many questions, nor of how an answer came about.
"""

import html
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.answers import Answer
from assistant.questions_file import Gold, Question
from assistant.standing import without_further
from corpus.documents import Document, Passage

_SAME = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "“": '"', "”": '"', "\u00a0": " "})
_MARKUP = re.compile(r"\]\([^)]*\)|<[^>]*>")
_PLAIN_SUFFIXES = frozenset({".txt", ".md", ".html", ".htm"})


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """A passage that a retriever returned, with its similarity to the question (0…1)."""

    passage: Passage
    score: float


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a gold quotation stands: a span of its document's text, or one of its notices."""

    document_id: str
    start: int = 0
    end: int = 0
    notice: bool = False


def comparable(text: str) -> str:
    """A text as it is compared: one kind of apostrophe and space. Its length never changes."""
    return re.sub(r"\s", " ", text.translate(_SAME))


def locate(gold: Gold, documents: Mapping[str, Document]) -> Place | None:
    """Where a gold quotation stands in the library, None when it does not."""
    quote = comparable(gold.quote)
    for document in documents.values():
        if document.path != gold.file:
            continue
        start = comparable(document.text).find(quote)
        if start >= 0:
            return Place(document_id=document.id, start=start, end=start + len(quote))
        if any(quote in comparable(notice.text) for notice in document.notices):
            return Place(document_id=document.id, notice=True)
    return None


def holds(passage: Passage, place: Place) -> bool:
    """Whether a passage contains a gold quotation or overlaps it by more than half.

    A quotation from a notice is held by every passage of that document: the notice is
    shown with each citation of it.
    """
    if passage.document_id != place.document_id:
        return False
    if place.notice:
        return True
    overlap = min(passage.end, place.end) - max(passage.start, place.start)
    return overlap * 2 > place.end - place.start


def found_at(ranked: Sequence[Ranked], places: Sequence[Place | None], mode: str) -> int | None:
    """The rank (from 1) by which the gold is found: the first of `any`, the last of `all`."""
    ranks = [
        next(
            (rank for rank, one in enumerate(ranked, 1) if place and holds(one.passage, place)),
            None,
        )
        for place in places
    ]
    found = [rank for rank in ranks if rank is not None]
    if not found or (mode == "all" and len(found) < len(ranks)):
        return None
    return max(found) if mode == "all" else min(found)


def missing_from(text: str, question: Question) -> tuple[tuple[str, ...], ...]:
    """The entries of `must_include` that a text has none of the wordings of."""
    said = comparable(text).lower()
    return tuple(
        wordings
        for wordings in question.must_include
        if not any(comparable(wording).lower() in said for wording in wordings)
    )


def shown_text(answer: Answer, places: Sequence[Place | None], *, set_apart: bool = True) -> str:
    """What an answer says, without its markers; without `set_apart`, what is not.

    The notices of the documents it cites are part of it where the gold is a notice, and
    only there: elsewhere a word of a notice would pass for an answer.
    """
    text = answer.text if set_apart else without_further(answer.text)
    text = re.sub(r"\s*\[\d+\]", "", text)
    cited = {citation.document.id: citation.document for citation in answer.citations}
    return "\n".join([text, *_gold_notices(cited.values(), places)])


def passage_text(
    passage: Passage, documents: Mapping[str, Document], places: Sequence[Place | None]
) -> str:
    """What a passage says as an answer, with notices by the same rule as `shown_text`."""
    document = documents[passage.document_id]
    return "\n".join([passage.text, *_gold_notices([document], places)])


def _gold_notices(documents: Iterable[Document], places: Sequence[Place | None]) -> list[str]:
    asked_for = {place.document_id for place in places if place and place.notice}
    return [
        notice.text
        for document in documents
        if document.id in asked_for
        for notice in document.notices
    ]


def words_of(text: str) -> str:
    """The letters and figures of a text, one space between words: what a quote is compared by."""
    return " ".join(re.findall(r"\w+", comparable(html.unescape(text)).lower()))


def file_words(path: Path) -> str | None:
    """The words of a library file read anew, past the loaders; None for a binary format."""
    if path.suffix.lower() not in _PLAIN_SUFFIXES:
        return None
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return words_of(text if path.suffix.lower() == ".txt" else _MARKUP.sub(" ", text))


def exact_quotes(answer: Answer, words: Callable[[str], str | None]) -> tuple[bool, ...]:
    """For each citation, whether its quote is exact.

    That is: it stands at its offsets in the document's text, and its words stand in the
    file itself. `words` gives a file's words by its path, None where they can't be had.
    """
    verdicts = []
    for citation in answer.citations:
        original = words(citation.document.path)
        verdicts.append(
            citation.document.text[citation.start : citation.end] == citation.quote
            and (original is None or words_of(citation.quote) in original)
        )
    return tuple(verdicts)
