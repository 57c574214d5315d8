"""What the API takes and gives, as types: the requests are checked by them, the answers described.

Owns every bound of a request. Knows nothing of how anything is answered.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from assistant.answers import Mode, Turn
from assistant.questions import MAX_CHARACTERS
from assistant.web.conversation import MEMORY, TURN_LIMIT
from index.retrieval import Filters

COMMENT_LIMIT = 500

HISTORY_LIMIT = 40
_CONTENT_LIMIT = 20_000


def _whole(text: object) -> object:
    """Text cut between the halves of a character, as browsers count them, is mended."""
    return text.encode("utf-8", "replace").decode("utf-8") if isinstance(text, str) else text


_Name = Annotated[str, Field(min_length=1, max_length=200)]
_Names = Annotated[list[_Name], Field(max_length=50)]


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Message(_Request):
    """An earlier message. It steers the search; it is never evidence."""

    role: Literal["user", "assistant"]
    content: Annotated[str, BeforeValidator(_whole), Field(max_length=_CONTENT_LIMIT)]


def turns_of(history: Sequence[Message]) -> tuple[Turn, ...]:
    """The latest of a client's messages, shortened, for the assistant."""
    return tuple(
        Turn(role=message.role, content=message.content[:TURN_LIMIT])
        for message in history[-MEMORY:]
    )


class AskRequest(_Request):
    """A question, with what was said before and where to look."""

    question: Annotated[str, Field(min_length=1, max_length=MAX_CHARACTERS)]
    history: Annotated[list[Message], Field(max_length=HISTORY_LIMIT)] = Field(
        default=[], description="Earlier messages, oldest first; the last twelve count."
    )
    kinds: _Names = Field(default=[], description="Only documents of these kinds; none: all.")
    documents: _Names = Field(default=[], description="Only documents of these ids; none: all.")
    mode: Mode | None = Field(
        default=None,
        description="'quotation': exact sentences. 'written': a chat model's words over them, "
        "where one is set. By default as the operator chose.",
    )

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The latest messages, shortened, for the assistant."""
        return turns_of(self.history)

    @property
    def filters(self) -> Filters:
        """Where to look; an unknown name finds nothing."""
        return Filters(kinds=frozenset(self.kinds), documents=frozenset(self.documents))


class FeedbackRequest(_Request):
    """What a visitor thinks of an answer. It says nothing of what was asked."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{8,64}$")] = Field(
        description="Made up by the client; sent again, the same rating replaces itself."
    )
    rating: Literal["good", "poor"]
    reason: (
        Literal["wrong", "source_mismatch", "incomplete", "off_topic", "unclear", "other"] | None
    ) = None
    comment: Annotated[str, BeforeValidator(_whole), Field(max_length=_CONTENT_LIMIT)] = Field(
        default="", description=f"Optional; {COMMENT_LIMIT} characters are kept."
    )
    generation: Annotated[str, Field(max_length=100)] = Field(
        default="", description="The answer's `index.generation`."
    )
    documents: Annotated[list[_Name], Field(max_length=20)] = Field(
        default=[], description="The ids of the documents that the answer cites."
    )


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DocumentOut(_Given):
    """What a document is, and what it says of itself (`notices`: show them)."""

    id: str
    title: str
    kind: str
    path: str
    url: str
    publisher: str
    published: str
    language: str
    notices: list[str]


class PassageOut(_Given):
    """A passage; `start` and `end` count characters (code points) of its document's text."""

    id: str
    text: str
    start: int
    end: int
    heading: list[str]


class CitationOut(_Given):
    """What a marker leads to: `quote` is the document's text from `start` to `end`."""

    number: int
    quote: str
    start: int
    end: int
    passage: PassageOut
    document: DocumentOut
    permalink: str


class StatementOut(_Given):
    """A sentence of the answer. Where `supported` is false, say so to the reader.

    `checked` is "figures" where an answer is in another language than its documents, so
    that only numbers and dates were compared. `standing` is "unclear" where it is not certain
    which quotation answers, and "further" for one that is set apart from the answer.
    """

    text: str
    citations: list[int]
    supported: bool
    checked: Literal["meaning", "figures"]
    support: Annotated[float, Field(ge=0, le=1)]
    standing: Literal["answer", "unclear", "further"]


class ProofOut(_Given):
    """What was checked, of how much."""

    quotes: int
    exact: int
    statements: int
    supported: int


class DifferenceOut(_Given):
    """A fact on which sources differ."""

    about: str
    citations: list[int]


class EvidenceOut(_Given):
    """A passage that was found; `score` is 0 to 1."""

    passage_id: str
    document_id: str
    title: str
    path: str
    heading: list[str]
    text: str
    score: float
    rank: int
    permalink: str


class IndexOut(_Given):
    """What was searched."""

    generation: str
    embedding_model: str


class AnswerOut(_Given):
    """A whole answer. The markers `[n]` in `text` are the numbers of its citations."""

    question: str
    standalone_question: str
    mode: Mode
    model: str | None
    answered: bool
    abstention: Literal["no_evidence", "not_grounded", "off_topic"] | None
    small_talk: bool
    text: str
    statements: list[StatementOut]
    citations: list[CitationOut]
    proof: ProofOut
    differences: list[DifferenceOut]
    notices: list[str]
    nearest: list[EvidenceOut]
    evidence: list[EvidenceOut]
    followups: list[str]
    timings_ms: dict[str, float]
    index: IndexOut


class ListedDocument(DocumentOut):
    """A document in the list."""

    passages: int
    permalink: str


class DocumentsOut(_Given):
    """A stretch of the documents that match, and how many there are."""

    total: int
    documents: list[ListedDocument]


class WholeDocument(ListedDocument):
    """A document with its text, and the passages that can be cited."""

    text: str
    parts: list[PassageOut]


class WholePassage(_Given):
    """A passage, its document, and the ids of its neighbours (null at an end)."""

    passage: PassageOut
    document: DocumentOut
    previous: str | None
    next: str | None
    permalink: str


class ErrorOut(_Given):
    """Why not: a code for programs, a sentence, and the next step (may be empty)."""

    error: str
    message: str
    hint: str


class HealthOut(_Given):
    """How the server is; `degraded` and `partners` are empty unless something is wrong."""

    status: Literal["ok", "unavailable"]
    generation: str
    documents: int
    passages: int
    degraded: str
    partners: str
