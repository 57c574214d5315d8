"""The domain types of a library: documents, sections, passages, sentences, notices.

Owns how ids are derived and the promise that every offset counts characters of
`Document.text`. Knows nothing of files, formats, vectors or users.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Literal

BlockKind = Literal["paragraph", "item"]

_SLUG_LENGTH = 60


@dataclass(frozen=True, kw_only=True)
class Notice:
    """Something a source declares about itself, or that is known of it.

    `kind` is a short fixed word (`ai-generated`, `retold`, `undated`, …); `text`
    is the sentence to show. A notice is data: shown with every citation of its
    document, never searched as part of the body.
    """

    kind: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """A span of `Document.text` that can stand as a quotation; list items count as sentences.

    The marker of a list item (`•`, `1.`) lies before `start`.
    """

    start: int
    end: int
    is_item: bool = False


@dataclass(frozen=True, kw_only=True)
class Block:
    """A paragraph or one list item: a span of `Document.text`, list marker included."""

    kind: BlockKind
    start: int
    end: int


@dataclass(frozen=True, kw_only=True)
class Section:
    """A heading and what stands under it, up to the next heading of any level.

    `heading` is empty and `level` 0 for what stands before the first heading.
    `path` holds the headings from the outermost to this one, without the title.
    `start` is where the heading's line begins (the first block's, without one) and
    `end` the end of the last block; both count characters of `Document.text`.
    """

    heading: str
    level: int
    path: tuple[str, ...]
    start: int
    end: int
    blocks: tuple[Block, ...]


@dataclass(frozen=True, kw_only=True)
class StatedDifference:
    """What a document says of another: on `about`, that one says `there`, this one `here`.

    `here` and `there` are exact words of the two texts; `document` is the other's file
    name, or its path in the library. It may be the same document, where that retells one
    source and adds what others say.
    """

    about: str
    here: str
    document: str
    there: str


@dataclass(frozen=True, kw_only=True)
class PointedQuestion:
    """An anticipated question of the section `heading` and exact words of the sentence
    that answers it, as a rule the first ones."""

    heading: str
    question: str
    words: str


@dataclass(frozen=True, kw_only=True)
class Document:
    """One source, as text that every quotation is an exact piece of.

    `path` is relative to the library, with forward slashes. `text` is canonical:
    page furniture and inline markup are gone, blocks are separated by an empty line
    and list items by a line break; what the source says of itself stands after the
    last section, where it can be quoted and is not searched. `digest` is the SHA-256 of the file's
    bytes and, where there is one, of the question file beside it.
    """

    id: str
    title: str
    kind: str
    path: str
    text: str
    sections: tuple[Section, ...]
    digest: str
    url: str = ""
    publisher: str = ""
    published: str = ""
    language: str = ""
    notices: tuple[Notice, ...] = ()
    asks: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Anticipated questions: pairs of a heading and the questions its section answers."""
    pointed: tuple[PointedQuestion, ...] = ()
    differences: tuple[StatedDifference, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Passage:
    """The unit of retrieval and of citation: `document.text[start:end] == text`, always.

    `heading` is the heading path without the title. A list stays whole together
    with its lead-in. `asks` holds its anticipated questions, `pointed` further ones, each
    with the number of the sentence (from 0) that answers it.
    """

    id: str
    document_id: str
    heading: tuple[str, ...]
    text: str
    start: int
    end: int
    sentences: tuple[Sentence, ...]
    asks: tuple[str, ...] = ()
    pointed: tuple[tuple[str, int], ...] = ()

    @property
    def questions(self) -> tuple[str, ...]:
        """All its anticipated questions: `asks`, then those of `pointed`."""
        return (*self.asks, *(question for question, _ in self.pointed))

    def sentence_text(self, sentence: Sentence) -> str:
        """The exact words of one of this passage's sentences."""
        return self.text[sentence.start - self.start : sentence.end - self.start]


HIDDEN_TEXT = "hidden-text"
"""The kind of the one notice that is the loader's own, and so no words of the source."""


def quotable_notices(notices: tuple[Notice, ...]) -> tuple[str, ...]:
    """The notices that are the source's own words: they stand after the last section."""
    return tuple(notice.text for notice in notices if notice.kind != HIDDEN_TEXT)


def text_digest(text: str) -> str:
    """SHA-256 of a text in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def document_id(path: str) -> str:
    """The id of the document at `path` (relative to the library): readable, URL-safe, unique.

    The digest keeps `a b.txt` and `a-b.txt` apart.
    """
    slug = re.sub(r"[^a-z0-9]+", "-", path.rsplit(".", 1)[0].lower()).strip("-")
    return f"{slug[:_SLUG_LENGTH].strip('-') or 'document'}-{text_digest(path)[:6]}"


def passage_id(document: str, text: str, occurrence: int) -> str:
    """The id of a passage: stable as long as its own words are.

    `occurrence` counts, from 0, the passages of the document with the same words.
    """
    return f"{document}-{text_digest(text)[:10]}-{occurrence}"
