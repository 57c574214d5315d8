"""What an answer is: turns in, statements with citations and their proof out.

Owns the types of a conversation and the JSON of an answer, the same in the
terminal, the page, the API and an evaluation's log. Decides nothing about what
an answer says and nothing about how it looks.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from assistant.standing import Standing
from corpus.documents import Document, Passage
from index.retrieval import Hit

Mode = Literal["quotation", "written"]

Check = Literal["meaning", "figures"]

MARKER = re.compile(r"\[(\d+)\]")


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One earlier message. Untrusted: it may steer retrieval, it is never evidence."""

    role: Literal["user", "assistant"]
    content: str


class AbstentionKind(StrEnum):
    """Why no answer was given."""

    NO_EVIDENCE = "no_evidence"
    NOT_GROUNDED = "not_grounded"
    OFF_TOPIC = "off_topic"


@dataclass(frozen=True, kw_only=True)
class Citation:
    """What a marker leads to: the exact words, and where they stand.

    `start` and `end` count characters of the document's text, so that
    `document.text[start:end] == quote`.
    """

    number: int
    document: Document
    passage: Passage
    quote: str
    start: int
    end: int

    @property
    def permalink(self) -> str:
        """The page of the passage, a path on this server."""
        return permalink(self.passage.id)


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One sentence of an answer, without its markers, and the citations it rests on.

    `support` is 0…1: how well the quotes bear the sentence; 1.0 where it is a quote itself.
    `checked` says what was compared: the meaning, or, in another language than that of the
    documents, the figures alone; a sentence of which only those agree is not `supported`.
    `standing` says what a quotation is to the question.
    """

    text: str
    citations: tuple[int, ...]
    supported: bool
    support: float
    checked: Check = "meaning"
    standing: Standing = Standing.ANSWER


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What was checked: quotes found word for word, statements that their quotes bear."""

    quotes: int
    exact: int
    statements: int
    supported: int


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A fact on which sources differ: what about, and the citations of each side."""

    about: str
    citations: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """A hit as an answer shows it: the passage, its document, score (0…1) and rank (from 1)."""

    hit: Hit
    document: Document

    def as_json(self) -> dict[str, Any]:
        """The hit as plain data."""
        passage = self.hit.passage
        return {
            "passage_id": passage.id,
            "document_id": self.document.id,
            "title": self.document.title,
            "path": self.document.path,
            "heading": list(passage.heading),
            "text": passage.text,
            "score": round(self.hit.score, 4),
            "rank": self.hit.rank,
            "permalink": permalink(passage.id),
        }


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A whole answer. The markers in `text` are exactly the citation numbers.

    Raises `ValueError` when they are not, when a quote is not an exact piece of its
    document, when a statement without support is not in the text, or when an answer and
    an abstention contradict each other: such an answer must not exist.
    """

    question: str
    standalone_question: str
    text: str
    mode: Mode = "quotation"
    model: str | None = None
    abstention: AbstentionKind | None = None
    small_talk: bool = False
    statements: tuple[Statement, ...] = ()
    citations: tuple[Citation, ...] = ()
    differences: tuple[Difference, ...] = ()
    notices: tuple[str, ...] = ()
    nearest: tuple[Evidence, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    followups: tuple[str, ...] = ()
    timings_ms: dict[str, float] = field(default_factory=dict)
    generation: str = ""
    embedding_model: str = ""

    def __post_init__(self) -> None:
        numbers = [citation.number for citation in self.citations]
        if numbers != list(range(1, len(numbers) + 1)):
            raise ValueError(f"citation numbers are {numbers}, not 1 to {len(numbers)}")
        marked = {int(number) for number in MARKER.findall(self.text)}
        if marked != set(numbers):
            raise ValueError(f"markers {sorted(marked)} are not the citations {numbers}")
        for citation in self.citations:
            if citation.document.text[citation.start : citation.end] != citation.quote:
                raise ValueError(f"quote {citation.number} is not in {citation.document.id}")
        for statement in self.statements:
            if not statement.supported and statement.text not in self.text:
                raise ValueError("an unsupported statement can't be found to be marked")
        if self.abstention is not None and self.citations:
            raise ValueError("an abstention cites nothing")

    @property
    def certain(self) -> bool:
        """Whether it is said which of its quotations answer; so of every written answer."""
        standings = {statement.standing for statement in self.statements}
        return Standing.ANSWER in standings and Standing.UNCLEAR not in standings

    @property
    def answered(self) -> bool:
        """True when the library answered; small talk and abstentions are not answers."""
        return self.abstention is None and not self.small_talk

    @property
    def proof(self) -> Proof:
        """The proof, counted anew from the citations and statements each time."""
        return Proof(
            quotes=len(self.citations),
            exact=sum(c.document.text[c.start : c.end] == c.quote for c in self.citations),
            statements=len(self.statements),
            supported=sum(statement.supported for statement in self.statements),
        )

    def as_json(self) -> dict[str, Any]:
        """The answer as plain data; README documents its shape."""
        proof = self.proof
        return {
            "question": self.question,
            "standalone_question": self.standalone_question,
            "mode": self.mode,
            "model": self.model,
            "answered": self.answered,
            "abstention": self.abstention.value if self.abstention else None,
            "small_talk": self.small_talk,
            "text": self.text,
            "statements": [
                {
                    "text": statement.text,
                    "citations": list(statement.citations),
                    "supported": statement.supported,
                    "support": round(statement.support, 4),
                    "checked": statement.checked,
                    "standing": statement.standing.value,
                }
                for statement in self.statements
            ],
            "citations": [citation_json(citation) for citation in self.citations],
            "proof": {
                "quotes": proof.quotes,
                "exact": proof.exact,
                "statements": proof.statements,
                "supported": proof.supported,
            },
            "differences": [
                {"about": difference.about, "citations": list(difference.citations)}
                for difference in self.differences
            ],
            "notices": list(self.notices),
            "nearest": [evidence.as_json() for evidence in self.nearest],
            "evidence": [evidence.as_json() for evidence in self.evidence],
            "followups": list(self.followups),
            "timings_ms": {name: round(ms, 1) for name, ms in self.timings_ms.items()},
            "index": {"generation": self.generation, "embedding_model": self.embedding_model},
        }


def permalink(passage_id: str) -> str:
    """The path of a passage's own page on this server."""
    return f"/passages/{passage_id}"


def document_json(document: Document) -> dict[str, Any]:
    """What a citation and the list of documents say of a document."""
    return {
        "id": document.id,
        "title": document.title,
        "kind": document.kind,
        "path": document.path,
        "url": document.url,
        "publisher": document.publisher,
        "published": document.published,
        "language": document.language,
        "notices": [notice.text for notice in document.notices],
    }


def citation_json(citation: Citation) -> dict[str, Any]:
    """A citation as plain data."""
    passage = citation.passage
    return {
        "number": citation.number,
        "quote": citation.quote,
        "start": citation.start,
        "end": citation.end,
        "passage": {
            "id": passage.id,
            "text": passage.text,
            "start": passage.start,
            "end": passage.end,
            "heading": list(passage.heading),
        },
        "document": document_json(citation.document),
        "permalink": citation.permalink,
    }


@dataclass(frozen=True, kw_only=True)
class EvidenceEvent:
    """The evidence is found; nothing is said yet."""

    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, kw_only=True)
class DeltaEvent:
    """The next piece of the answer's text, markers whole.

    `supported` is False for a sentence that the passage it names does not support;
    `checked` is that of its statement.
    """

    text: str
    supported: bool = True
    checked: Check = "meaning"


@dataclass(frozen=True, kw_only=True)
class DoneEvent:
    """The end of a reply: the whole answer.

    Its text is that of the deltas put together, unless a chat model failed after its first
    sentences were shown: then the answer is another one (in quotations) and takes their place.
    """

    answer: Answer


Event = EvidenceEvent | DeltaEvent | DoneEvent


class Reply:
    """An answer in the making: iterate it for its events, or take `answer()` for the end."""

    def __init__(self, events: Iterator[Event]) -> None:
        self._events = events

    def __iter__(self) -> Iterator[Event]:
        return self._events

    def answer(self) -> Answer:
        """Exhaust the events and return the answer.

        Raises `RuntimeError` when the events end without one, which is a bug.
        """
        for event in self._events:
            if isinstance(event, DoneEvent):
                return event.answer
        raise RuntimeError("the reply ended without an answer")
