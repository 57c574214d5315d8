"""What the chat model of the tests sends over the wire, in the words of three providers.

OpenAI's protocol in full, with the answers that are no answers; of Anthropic's and
Ollama's only whole answers, their ends and the pieces of a stream.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

KEY_ECHO = "Incorrect API key provided: sk-secret-fragment."
"""What providers put into the text of an error."""


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How a provider writes a stream, and an answer in one piece, with how it ended."""

    kind: str
    begin: Callable[[], bytes]
    word: Callable[[str], bytes]
    end: Callable[[str], bytes]
    whole: Callable[[str, str], dict]


def piece(delta: dict, finish: str | None = None) -> bytes:
    chunk = {
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "test",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }  # fmt: skip
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def whole(message: dict, finish: str) -> dict:
    return {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "test",
        "choices": [{"index": 0, "message": {"role": "assistant", **message},
                     "finish_reason": finish}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }  # fmt: skip


_TOOL = {
    "tool_calls": [
        {"index": 0, "id": "call_1", "type": "function",
         "function": {"name": "delete_everything", "arguments": "{}"}}
    ]
}  # fmt: skip
_ERROR = {"error": {"message": KEY_ECHO, "type": "server_error", "code": "boom"}}
ODD_WHOLES: dict[str, bytes] = {
    "bad json": b'{"id": "chatcmpl-1", "choices": [{',
    "bad utf8": b'{"id": "chatcmpl-1", "choices": "\xff\xfe',
    "no choices": json.dumps({**whole({"content": "x"}, "stop"), "choices": []}).encode(),
    "usage only": json.dumps({**whole({"content": "x"}, "stop"), "choices": []}).encode(),
    "wrong type": b'["not", "an", "object"]',
    "error event": json.dumps(_ERROR).encode(),
    "null content": json.dumps(whole({"content": None}, "stop")).encode(),
    "declined": json.dumps(whole({"content": None, "refusal": "No."}, "stop")).encode(),
    "tool call": json.dumps(whole({"content": None, **_TOOL}, "tool_calls")).encode(),
}  # fmt: skip
"""Mode → the body of an answer that is not streamed."""

_DONE = b"data: [DONE]\n\n"
ODD_STREAMS: dict[str, list[bytes]] = {
    "bad json": [b'data: {"choices": [{"delta"\n\n'],
    "bad utf8": [b'data: {"choices": "\xff\xfe"}\n\n'],
    "no choices": [b'data: {"id": "1", "choices": []}\n\n', _DONE],
    "usage only": [b'data: {"id": "1", "choices": [], "usage": {"total_tokens": 1}}\n\n', _DONE],
    "wrong type": [b'data: ["not", "an", "object"]\n\n', _DONE],
    "error event": [b"data: " + json.dumps(_ERROR).encode() + b"\n\n"],
    "null content": [piece({"content": None}), piece({}, "stop"), _DONE],
    "declined": [piece({"refusal": "No."}), piece({}, "stop"), _DONE],
    "tool call": [piece(_TOOL), piece({}, "tool_calls"), _DONE],
}
"""Mode → what a stream holds after its first words; of null content and the like, in all."""

NO_WORDS = {"no choices", "usage only", "null content", "declined", "tool call", "wrong type"}


def _event(name: str, data: dict) -> bytes:
    return f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n".encode()


_ANTHROPIC_ENDS = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal"}


def _anthropic(text: str, finish: str | None) -> dict:
    return {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "test",
        "content": [{"type": "text", "text": text}] if finish else [],
        "stop_reason": _ANTHROPIC_ENDS[finish] if finish else None, "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }  # fmt: skip


def _anthropic_begin() -> bytes:
    block = {"index": 0, "content_block": {"type": "text", "text": ""}}
    started = _event("message_start", {"message": _anthropic("", None)})
    return started + _event("content_block_start", block)


def _anthropic_end(finish: str) -> bytes:
    ended = {"delta": {"stop_reason": _ANTHROPIC_ENDS[finish], "stop_sequence": None},
             "usage": {"output_tokens": 1}}  # fmt: skip
    return (
        _event("content_block_stop", {"index": 0})
        + _event("message_delta", ended)
        + _event("message_stop", {})
    )


def _ollama(text: str, finish: str | None = None) -> dict:
    line = {
        "model": "test", "created_at": "2026-01-01T00:00:00Z", "done": finish is not None,
        "message": {"role": "assistant", "content": text},
    }  # fmt: skip
    return {**line, "done_reason": finish} if finish else line


def _line(data: dict) -> bytes:
    return json.dumps(data).encode() + b"\n"


OPENAI = Dialect(
    kind="text/event-stream",
    begin=lambda: piece({"role": "assistant", "content": ""}),
    word=lambda text: piece({"content": text}),
    end=lambda finish: piece({}, finish) + _DONE,
    whole=lambda text, finish: whole({"content": text}, finish),
)
ANTHROPIC = Dialect(
    kind="text/event-stream",
    begin=_anthropic_begin,
    word=lambda text: _event(
        "content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": text}}
    ),
    end=_anthropic_end,
    whole=_anthropic,
)
OLLAMA = Dialect(
    kind="application/x-ndjson",
    begin=lambda: b"",
    word=lambda text: _line(_ollama(text)),
    end=lambda finish: _line(_ollama("", finish)),
    whole=_ollama,
)
DIALECTS = {"/v1/messages": ANTHROPIC, "/api/chat": OLLAMA}
"""Path → dialect; every other path speaks OpenAI's."""
