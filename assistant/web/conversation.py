"""A conversation as its page keeps it: JSON that comes from a browser and is not believed.

Owns its form, its bounds, and how it becomes messages for the chat and turns for the
assistant. Keeps nothing itself. Knows nothing of Gradio and of HTTP.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from assistant.answers import Answer, Turn
from assistant.marking import marked_text
from assistant.rendering import (
    Exchange,
    Footnote,
    answer_copy_text,
    answer_markdown,
    checked_line,
    conversation_markdown,
    escape_markdown,
    footnotes,
    text_markdown,
)
from corpus.errors import ExpectedError

MEMORY = 12
"""Messages, questions and answers together, that an answer may take into account."""

TURN_LIMIT = 4_000
"""Characters of an earlier message that an answer may take into account."""

EXCHANGE_LIMIT = 60
"""Questions in one conversation; then a new one has to be started."""

STORED_LIMIT = 600_000
"""Characters of a whole conversation as JSON."""

_SHORT, _LONG = 2_000, 60_000
_Short = Annotated[str, StringConstraints(max_length=_SHORT)]
_Text = Annotated[str, StringConstraints(max_length=_LONG)]

State = Literal["done", "error", "stopped"]

_STOPPED = "*Stopped before the answer was complete.*"


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class StoredNote(_Stored):
    """A footnote: a citation written out."""

    number: Annotated[int, Field(ge=1, le=999)]
    quote: _Text
    source: _Text
    url: _Short
    permalink: _Short


class StoredExchange(_Stored):
    """A question and what came back: for the chat, for copying, for the file to keep."""

    question: _Short
    state: State
    markdown: _Text = ""
    text: _Text = ""
    copy_text: _Text = ""
    proof: _Short = ""
    notices: tuple[_Short, ...] = Field(default=(), max_length=20)
    notes: tuple[StoredNote, ...] = Field(default=(), max_length=60)
    followups: tuple[_Short, ...] = Field(default=(), max_length=6)


class Conversation(_Stored):
    """What was asked and answered so far, oldest first."""

    exchanges: tuple[StoredExchange, ...] = Field(default=(), max_length=EXCHANGE_LIMIT)

    @classmethod
    def parse(cls, stored: object) -> "Conversation":
        """Read what a page sent. Raises `ExpectedError` when it can't be what this wrote."""
        if stored in (None, ""):
            return cls()
        if not isinstance(stored, str) or len(stored) > STORED_LIMIT:
            raise unreadable()
        try:
            return cls.model_validate_json(stored)
        except (ValidationError, ValueError):
            raise unreadable() from None

    def stored(self) -> str:
        """The conversation as the page keeps it."""
        return self.model_dump_json() if self.exchanges else ""

    def before(self, index: int) -> "Conversation":
        """The conversation up to, and without, the exchange at `index`."""
        return Conversation(exchanges=self.exchanges[: max(0, index)])

    def with_exchange(self, exchange: StoredExchange) -> "Conversation":
        """The conversation with one more exchange. Raises `ExpectedError` when it is full."""
        if len(self.exchanges) >= EXCHANGE_LIMIT:
            raise ExpectedError(
                "This conversation has grown too long.",
                "Save it if you like, then start a new one.",
            )
        return Conversation(exchanges=(*self.exchanges, exchange))

    def turns(self) -> tuple[Turn, ...]:
        """The latest messages, shortened, for the assistant. They steer, they prove nothing."""
        turns: list[Turn] = []
        for exchange in self.exchanges:
            if exchange.state != "done":
                continue
            turns.append(Turn(role="user", content=exchange.question[:TURN_LIMIT]))
            turns.append(Turn(role="assistant", content=exchange.text[:TURN_LIMIT]))
        return tuple(turns[-MEMORY:])

    def messages(self) -> list[dict[str, Any]]:
        """The conversation for the chat: Markdown by role, follow-ups under the last answer."""
        messages: list[dict[str, Any]] = []
        for index, exchange in enumerate(self.exchanges):
            shown = exchange.markdown
            if exchange.state == "stopped":
                shown = f"{shown}\n\n{_STOPPED}".strip()
            if exchange.notes:
                shown += f"\n\n[Copy with footnotes](#copy:{index})"
            messages.append({"role": "user", "content": escape_markdown(exchange.question)})
            messages.append({"role": "assistant", "content": shown})
        if self.exchanges and self.exchanges[-1].followups:
            messages[-1]["options"] = [
                {"value": followup} for followup in self.exchanges[-1].followups
            ]
        return messages

    def as_markdown(self) -> str:
        """The conversation as a Markdown file, with its sources."""
        return conversation_markdown([_exchange(exchange) for exchange in self.exchanges])


def unreadable() -> ExpectedError:
    """The error for a conversation that this did not write."""
    return ExpectedError(
        "The conversation in this page can't be read any more.", "Please start a new one."
    )


def pending(question: str, text: str = "") -> StoredExchange:
    """An exchange whose answer is being written; if nothing follows, it was stopped."""
    return StoredExchange(
        question=question,
        state="stopped",
        markdown=text_markdown(text)[:_LONG],
        text=text[:_LONG],
    )


def failed(question: str, error: ExpectedError) -> StoredExchange:
    """An exchange that ended in an error, told in one sentence with the next step."""
    shown = escape_markdown(str(error))[:_LONG]
    return StoredExchange(question=question, state="error", markdown=shown)


def finished(question: str, answer: Answer, base_url: str) -> StoredExchange:
    """An exchange with its answer; `base_url` makes permalinks in copied text whole."""
    notes = tuple(
        StoredNote(
            number=note.number,
            quote=note.quote[:_LONG],
            source=note.source[:_LONG],
            url=note.url if len(note.url) <= _SHORT else "",
            permalink=note.permalink[:_SHORT],
        )
        for note in footnotes(answer, base_url)
    )
    return StoredExchange(
        question=question,
        state="done",
        markdown=answer_markdown(answer)[:_LONG],
        text=marked_text(answer)[:_LONG],
        copy_text=answer_copy_text(answer, base_url)[:_LONG],
        proof=checked_line(answer)[:_SHORT],
        notices=tuple(notice[:_SHORT] for notice in answer.notices[:20]),
        notes=notes,
        followups=tuple(dict.fromkeys(text[:_SHORT] for text in answer.followups))[:4],
    )


def _exchange(stored: StoredExchange) -> Exchange:
    return Exchange(
        question=stored.question,
        text=stored.text or "No answer was given.",
        notices=stored.notices,
        proof=stored.proof,
        footnotes=tuple(
            Footnote(
                number=note.number,
                quote=note.quote,
                source=note.source,
                url=note.url,
                permalink=note.permalink,
            )
            for note in stored.notes
        ),
    )
