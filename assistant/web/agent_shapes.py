"""What goes into an agent's tools and what comes out, as an agent is told.

Owns the form and the bounds of arguments and results. Decides nothing.
"""

from dataclasses import replace
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from assistant.answers import Mode, Turn
from assistant.web.api_schema import HISTORY_LIMIT, Message, turns_of
from assistant.web.message_text import without_sources

_Name = Annotated[str, Field(min_length=1, max_length=500)]
_Names = Annotated[tuple[_Name, ...], Field(max_length=50)]
_Question = Annotated[str, Field(min_length=1, max_length=2_000)]


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Searching(_Arguments):
    """Among which documents to look."""

    kinds: _Names = Field(default=(), description="Only documents of these kinds.")
    documents: _Names = Field(
        default=(), description="Only these documents, each by id, path or title."
    )


class AskArguments(Searching):
    """A question; what was asked before is not remembered, but may be sent along."""

    question: _Question = Field(
        description="A question; one that leans on earlier messages needs them as `history`."
    )
    history: Annotated[tuple[Message, ...], Field(max_length=HISTORY_LIMIT)] = Field(
        default=(),
        description="Earlier messages, oldest first; the last twelve count. They steer the "
        "search and are never evidence.",
    )
    mode: Mode | None = Field(
        default=None,
        description="'quotation' answers in exact sentences, 'written' in a model's words where "
        "one is set; by default as the operator chose.",
    )

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The latest messages, shortened, for the assistant."""
        return tuple(
            replace(turn, content=without_sources(turn.content))
            if turn.role == "assistant"
            else turn
            for turn in turns_of(self.history)
        )


class SearchArguments(Searching):
    """What to look for, and how many passages."""

    query: _Question = Field(description="A question or words to look for.")
    limit: int = Field(default=8, ge=1, le=20, description="Passages to return at most.")


class ReadArguments(_Arguments):
    """A document, and which of its passages."""

    document: _Name = Field(description="Its id, path or title.")
    start: int = Field(default=1, ge=1, le=1_000_000, description="First passage, from 1.")
    count: int = Field(default=10, ge=1, le=30, description="Passages to return at most.")


class DocumentOut(BaseModel):
    """What a document is."""

    id: str
    title: str
    kind: str
    path: str
    url: str
    publisher: str
    published: str
    language: str
    notices: list[str] = Field(description="What the source says of itself. Pass it on.")
    permalink: str


class PlaceOut(BaseModel):
    """Where something stands, with the address of the passage's page."""

    passage_id: str
    document: DocumentOut
    heading: list[str]
    permalink: str


class PassageOut(PlaceOut):
    """A passage, whole."""

    text: str


class FoundOut(PassageOut):
    """A passage that was found, with its similarity of 0 to 1."""

    score: float


class QuoteOut(PlaceOut):
    """What a marker `[number]` leads to: exact words, marked on the page of the permalink."""

    number: int
    quote: str


class DifferenceOut(BaseModel):
    """A fact on which sources differ, and the numbers of the quotes of each side."""

    about: str
    quotes: list[int]


class AskOut(BaseModel):
    """An answer. Its markers are the numbers of its quotes; "- …" are lines not quoted."""

    answered: bool
    abstention: str | None = Field(description="Why no answer was given.")
    mode: Mode
    certain: bool = Field(description="Whether it is said which quotes answer.")
    text: str
    quotes: list[QuoteOut]
    unsupported: list[str] = Field(description="Sentences that their quotes do not bear.")
    differences: list[DifferenceOut]
    notices: list[str]
    nearest: list[PlaceOut] = Field(description="Without an answer: what stands closest.")


class SearchOut(BaseModel):
    """Passages, the best first."""

    passages: list[FoundOut]


class ReadOut(BaseModel):
    """A stretch of a document. `next` is the `start` of the following one, if any."""

    document: DocumentOut
    passages: list[PassageOut]
    start: int
    total: int
    next: int | None
