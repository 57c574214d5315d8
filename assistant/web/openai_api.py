"""Chat completions and models as OpenAI's clients ask for them, at `/v1`.

Owns these routes, whole and streamed. The text of a reply ends with its sources, and the
whole answer travels beside it in the field `rapporteur`. Keys are taken and not looked at:
who asks here is let in as everyone is. Decides nothing about answers.
"""

import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from assistant.answers import Answer, Mode
from assistant.web.api import Service
from assistant.web.errors import Refused, unavailable, unexpected
from assistant.web.message_text import message_pieces, message_text
from assistant.web.openai_shapes import Completion, Envelope, error_json, model_json, model_names
from assistant.web.sse import DEADLINE
from corpus.errors import ExpectedError

if TYPE_CHECKING:
    from assistant.chain import Assistant

PATH = "/v1"

_LOG = logging.getLogger("rapporteur.web")

Piece = tuple[str, Answer | None]


def mount(app: FastAPI, service: Service, public_url: str = "") -> None:
    """Put the routes into `app`; `public_url` is where permalinks lead, by default as asked."""

    @app.post(f"{PATH}/chat/completions", include_in_schema=False)
    async def completions(request: Request) -> Response:
        base_url = public_url or str(request.base_url).rstrip("/")
        return await _told(lambda: _completed(service, request, base_url))

    @app.get(f"{PATH}/models", include_in_schema=False)
    async def models(request: Request) -> Response:
        async def listed() -> Response:
            await service.admission.admit(request, token="ignored", cost="nothing")
            names = model_names(service.assistant.modes)
            return JSONResponse({"object": "list", "data": [model_json(name) for name in names]})

        return await _told(listed)

    @app.get(f"{PATH}/models/{{name}}", include_in_schema=False)
    async def model(request: Request, name: str) -> Response:
        async def shown() -> Response:
            await service.admission.admit(request, token="ignored", cost="nothing")
            _mode(service.assistant, name)
            return JSONResponse(model_json(name))

        return await _told(shown)


async def _told(respond: Callable[[], Awaitable[Response]]) -> Response:
    """The response, or what kept it from being made, in the form that these clients read."""
    try:
        return await respond()
    except Refused as error:
        refused = error
    except ExpectedError as error:
        refused = unavailable(error)
    return JSONResponse(error_json(refused), status_code=refused.status, headers=refused.headers())


async def _completed(service: Service, request: Request, base_url: str) -> Response:
    await service.admission.admit(request, token="ignored")
    wanted = Completion.parse(await request.body())
    async with contextlib.AsyncExitStack() as held:
        await held.enter_async_context(service.admission.slot())
        writing = await _begun(service, wanted, base_url)
        held.callback(writing.pieces.close)
        envelope = Envelope(model=wanted.model)
        if wanted.stream:
            lines = _lines(envelope, writing, with_usage=wanted.with_usage)
            return _Stream(lines, held.pop_all())
        async for _, answer in writing.steps():
            if answer is not None:
                # Not the pieces: nothing was shown of what the answer may have taken back.
                return JSONResponse(envelope.whole(message_text(answer, base_url), answer))
        raise RuntimeError("the reply ended without an answer")


def _mode(assistant: "Assistant", model: str) -> Mode | None:
    names = model_names(assistant.modes)
    if model not in names:
        hint = f"Choose from: {', '.join(names)}."
        raise Refused(404, "There is no such model here.", hint, error="model_not_found")
    return names[model]


@dataclass(frozen=True, kw_only=True)
class _Writing:
    """A message that is being written: its first piece, and those to come."""

    first: Piece
    pieces: Generator[Piece, None, None]
    service: Service

    async def steps(self) -> AsyncIterator[Piece]:
        """The pieces, each read in a thread. Raises `Refused` (503) when they take too long."""
        ends = time.monotonic() + DEADLINE
        piece: Piece | None = self.first
        while piece is not None:
            yield piece
            if time.monotonic() > ends:
                raise Refused(503, "The answer took too long.", "Please try again.")
            piece = await self.service.threads.run(lambda: next(self.pieces, None))


async def _begun(service: Service, wanted: Completion, base_url: str) -> _Writing:
    """The message with its first piece: what fails until then is told by a status."""
    mode = _mode(service.assistant, wanted.model)
    question, turns = wanted.question()
    try:
        reply = service.assistant.ask(question, turns, mode=mode)
    except ExpectedError as error:
        raise Refused(400, error.message, error.hint, error="no_question") from None
    pieces = message_pieces(reply, base_url)
    first = await service.threads.run(lambda: next(pieces))
    return _Writing(first=first, pieces=pieces, service=service)


async def _lines(
    envelope: Envelope, writing: _Writing, *, with_usage: bool
) -> AsyncIterator[bytes]:
    """The stream's events. An error amid them is told as one, and nothing follows it."""
    yield _line(envelope.opening())
    try:
        async for text, answer in writing.steps():
            if text:
                yield _line(envelope.piece(text))
            if answer is not None:
                yield _line(envelope.closing(answer))
                if with_usage:
                    yield _line(envelope.counts(answer))
                yield b"data: [DONE]\n\n"
    except Refused as error:
        yield _line(error_json(error))
    except ExpectedError as error:
        yield _line(error_json(unavailable(error)))
    except Exception as error:  # noqa: BLE001 - the head is sent: it can only be told here
        # The class alone: a message may repeat what the visitor wrote.
        _LOG.error("a stream failed: %s", type(error).__name__)
        yield _line(error_json(unexpected()))


def _line(data: dict[str, Any]) -> bytes:
    # ASCII: no line break of Unicode's can end a line early, and no lone surrogate can fail.
    return b"data: " + json.dumps(data, ensure_ascii=True).encode() + b"\n\n"


class _Stream(StreamingResponse):
    """A stream of events that holds what it needs until it is over, however it ends."""

    def __init__(self, lines: AsyncIterator[bytes], held: contextlib.AsyncExitStack) -> None:
        super().__init__(lines, media_type="text/event-stream")
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it all, unless the client goes first."""
        async with self._held:
            await super().__call__(scope, receive, send)
