"""The form of OpenAI's chat completions: what a client sends, what it is sent back.

Owns the reading of a request, unknown parameters passed over, and the objects of a reply
and of an error. Knows nothing of how an answer is found.
"""

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assistant.answers import Answer, Mode, Turn
from assistant.web.conversation import MEMORY, TURN_LIMIT
from assistant.web.errors import Refused
from assistant.web.message_text import without_sources

MODEL = "rapporteur"

_TYPES: Mapping[int, str] = {
    401: "authentication_error",
    403: "permission_error",
    429: "rate_limit_error",
    500: "server_error",
    503: "server_error",
}


class _Sent(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Part(_Sent):
    # Pictures and sound are refused, for an answer that passes them over would mislead.
    type: Literal["text"]
    text: str


class _Message(_Sent):
    role: str
    content: str | tuple[_Part, ...] | None = None

    @property
    def text(self) -> str:
        if self.content is None or isinstance(self.content, str):
            return self.content or ""
        return "\n".join(part.text for part in self.content)


class _StreamOptions(_Sent):
    include_usage: bool | None = None


class Completion(_Sent):
    """A request for a completion, as far as it matters here."""

    model: Annotated[str, Field(max_length=200)] = MODEL
    messages: Annotated[tuple[_Message, ...], Field(min_length=1, max_length=1_000)]
    stream: bool | None = None
    stream_options: _StreamOptions | None = None

    @classmethod
    def parse(cls, body: bytes) -> "Completion":
        """Read a request's body. Raises `Refused` (400), repeating nothing of it."""
        try:
            return cls.model_validate_json(body)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            raise Refused(400, "The body isn't JSON.", "Send a JSON object.")
        if "content" in first["loc"]:
            raise Refused(400, "Only text can be read here.", "Send parts of the type 'text'.")
        where = ".".join(str(part) for part in first["loc"][:2])
        raise Refused(400, f"{where or 'The body'} can't be used: {first['msg']}.")

    @property
    def with_usage(self) -> bool:
        """Whether a stream ends with the counts of tokens."""
        return self.stream_options is not None and bool(self.stream_options.include_usage)

    def question(self) -> tuple[str, tuple[Turn, ...]]:
        """The last message of the user, and the latest ones before it.

        What a system message says is left out: it comes from the client, not from the
        library. Raises `Refused` (400) when the user says nothing.
        """
        asked = [i for i, message in enumerate(self.messages) if message.role == "user"]
        if not asked:
            raise Refused(400, "There is no message of the user.", "Send the question as one.")
        turns: list[Turn] = []
        for message in self.messages[: asked[-1]]:
            if message.role == "user":
                turns.append(Turn(role="user", content=message.text[:TURN_LIMIT]))
            elif message.role == "assistant":
                said = without_sources(message.text)[:TURN_LIMIT]
                turns.append(Turn(role="assistant", content=said))
        return self.messages[asked[-1]].text, tuple(turns[-MEMORY:])


def model_names(modes: Sequence[Mode]) -> dict[str, Mode | None]:
    """The names of the models on offer, and the mode that each stands for (None: by default)."""
    return {MODEL: None, **{f"{MODEL}-{mode}": mode for mode in modes}}


def model_json(name: str) -> dict[str, Any]:
    """A model as a client's list shows it."""
    return {"id": name, "object": "model", "created": 0, "owned_by": MODEL}


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """What all objects of one reply have in common."""

    model: str
    id: str = field(default_factory=lambda: f"chatcmpl-{uuid.uuid4().hex}")
    created: int = field(default_factory=lambda: int(time.time()))

    def whole(self, text: str, answer: Answer) -> dict[str, Any]:
        """The reply in one object."""
        said = {"role": "assistant", "content": text, "rapporteur": answer.as_json()}
        choice = {"index": 0, "message": said, "finish_reason": "stop", "logprobs": None}
        return self._object("chat.completion", [choice]) | {"usage": usage(answer)}

    def opening(self) -> dict[str, Any]:
        """The first piece of a stream: who speaks."""
        return self._piece({"role": "assistant", "content": ""})

    def piece(self, text: str) -> dict[str, Any]:
        """A piece of the text."""
        return self._piece({"content": text})

    def closing(self, answer: Answer) -> dict[str, Any]:
        """The last piece, with the whole answer beside it."""
        return self._piece({}, "stop") | {"rapporteur": answer.as_json()}

    def counts(self, answer: Answer) -> dict[str, Any]:
        """What follows the last piece where the client asked for it."""
        return self._object("chat.completion.chunk", []) | {"usage": usage(answer)}

    def _piece(self, delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return self._object("chat.completion.chunk", [choice])

    def _object(self, kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "choices": choices,
        }


def usage(answer: Answer) -> dict[str, int] | None:
    """The tokens that a chat model took: none in quotations; not known of written answers."""
    if answer.mode != "quotation":
        return None
    return {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


def error_json(refused: Refused) -> dict[str, Any]:
    """A refusal as OpenAI's clients read it, with our own hint beside its message."""
    kind = _TYPES.get(refused.status, "invalid_request_error")
    message = f"{refused.message} {refused.hint}".strip()
    told = {"message": message, "type": kind, "param": None, "code": refused.error}
    return {"error": told, "message": refused.message, "hint": refused.hint}
