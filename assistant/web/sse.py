"""An answer as a stream of events, from the reply's iterator to the bytes on the wire.

Owns the form of the events, the thread that a reply is read in, and when a stream ends:
with the answer, with an error, with its client, or after its time. Knows nothing of who
asks or of how an answer is found.
"""

import asyncio
import json
import logging
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import anyio
from anyio import CapacityLimiter, to_thread
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from assistant.answers import DeltaEvent, DoneEvent, Event, EvidenceEvent, Reply
from assistant.web.errors import Refused, unavailable, unexpected
from corpus.errors import ExpectedError

DEADLINE = 150.0
"""Seconds that an answer may take altogether; a chat model's own limits are below it."""

_LAST_WORDS = 2.0

_LOG = logging.getLogger("rapporteur.web")

_STOPPING = Refused(503, "The server is being stopped.", "Please try again.")

_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def encoded(name: str, data: object) -> bytes:
    """One event: its name, and one line of JSON that no line break of any kind can split."""
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=True)}\n\n".encode("ascii")


def told(event: Event) -> bytes:
    """An event of a reply as it is sent."""
    match event:
        case EvidenceEvent(evidence=evidence):
            return encoded("evidence", {"evidence": [each.as_json() for each in evidence]})
        case DeltaEvent(text=text, supported=supported, checked=checked):
            return encoded("delta", {"text": text, "supported": supported, "checked": checked})
        case DoneEvent(answer=answer):
            return encoded("done", answer.as_json())
    raise TypeError(f"no such event: {type(event).__name__}")


class AnswerThreads:
    """Threads of their own for answers, so that a slow one never holds up anything else."""

    def __init__(self, most: int) -> None:
        self._limiter: CapacityLimiter | None = None
        self._most = most

    async def run(self, work: Callable[[], Any]) -> Any:
        """What `work` gives; once begun it is waited for, also when the waiting is cancelled."""
        if self._limiter is None:  # It can only be made where an event loop runs.
            self._limiter = CapacityLimiter(self._most)
        return await to_thread.run_sync(work, limiter=self._limiter)


class AnswerStream(Response):
    """The reply to one question, streamed.

    `slot` gives the place to answer in, held until the reply is closed. What fails before
    the first event is raised, so that it can be told by a status; what fails after it is
    told by an event `error`. When the client goes, the reply is closed.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        ask: Callable[[], Reply],
        slot: Callable[[], AbstractAsyncContextManager[None]],
        threads: AnswerThreads,
        *,
        deadline: float = DEADLINE,
    ) -> None:
        """`deadline` is in seconds; `ask` is called in a thread."""
        self.status_code = 200
        self.background = None
        self.init_headers(_HEADERS)
        self._ask = ask
        self._slot = slot
        self._threads = threads
        self._deadline = deadline
        self._started = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, unless the client goes first."""
        with anyio.CancelScope() as here:
            watcher = asyncio.create_task(_gone(receive, here))
            try:
                async with self._slot():
                    await self._answer(send, here)
            finally:
                watcher.cancel()

    async def _answer(self, send: Send, here: anyio.CancelScope) -> None:
        reading = _Reading(self._ask, self._threads)
        late = Refused(503, "The answer took too long.", "Please try again.")
        try:
            with anyio.move_on_after(self._deadline) as time:
                await self._read_out(reading, send)
            if time.cancelled_caught:
                await self._end_with(late, send)
        except asyncio.CancelledError:
            # Either the client has gone, or the server is told to stop.
            if here.cancel_called or not self._started:
                raise
            await self._end_with(_STOPPING, send)
        finally:
            with anyio.CancelScope(shield=True):
                await reading.close()

    async def _read_out(self, reading: "_Reading", send: Send) -> None:
        try:
            event = await reading.next()
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            self._started = True
            while event is not None:
                await _send(send, told(event))
                event = await reading.next()
            if not reading.complete:
                raise RuntimeError("the reply ended without an answer")
            await _send(send, b"", more=False)
        except Exception as error:
            if not self._started:
                raise
            await self._end_with(_refused(error), send)

    async def _end_with(self, refused: Refused, send: Send) -> None:
        if not self._started:
            raise refused
        with anyio.move_on_after(_LAST_WORDS):
            await _send(send, encoded("error", refused.body()), more=False)


class _Reading:
    """A reply read step by step, each step in a thread."""

    def __init__(self, ask: Callable[[], Reply], threads: AnswerThreads) -> None:
        self._ask = ask
        self._threads = threads
        self._events: Iterator[Event] | None = None
        self._stepping = threading.Lock()
        self.complete = False

    async def next(self) -> Event | None:
        """The next event; None after the last one."""
        event: Event | None = await self._threads.run(self._step)
        self.complete = self.complete or isinstance(event, DoneEvent)
        return event

    def _step(self) -> Event | None:
        with self._stepping:
            if self._events is None:
                self._events = iter(self._ask())
            return next(self._events, None)

    async def close(self) -> None:
        """End the reply where it stands: what it holds open is let go of."""
        await self._threads.run(self._close)

    def _close(self) -> None:
        # A step that is under way comes to its end first.
        with self._stepping:
            if isinstance(self._events, Generator):
                self._events.close()


async def _send(send: Send, body: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": more})


async def _gone(receive: Receive, here: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    here.cancel()


def _refused(error: Exception) -> Refused:
    if isinstance(error, Refused):
        return error
    if isinstance(error, ExpectedError):
        return unavailable(error)
    # The class alone: a message may repeat what the visitor wrote.
    _LOG.error("an answer failed: %s", type(error).__name__)
    return unexpected()
