"""Chat models: a provider's name in, pieces of text out, within the limits.

Owns the providers and their options, the thread in which their streams run, the
deadlines, the one second try, and the translation of whatever a provider package
raises into one `ModelFault`. Knows nothing of evidence, prompts or markers. No
text and no key reaches the log or an error.
"""

import asyncio
import logging
import threading
import weakref
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, Literal, cast

from langchain_core.exceptions import ContextOverflowError, ModelTimeoutError
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage

from assistant.model_limits import Gate, ModelError, ModelFault, ModelLimits
from assistant.providers import open_provider

__all__ = ["ChatModel", "Message", "ModelError", "ModelFault", "ModelLimits", "load_chat_model"]

_log = logging.getLogger(__name__)

_STATUSES = {
    401: ModelFault.KEY_REFUSED, 402: ModelFault.KEY_REFUSED, 403: ModelFault.KEY_REFUSED,
    404: ModelFault.NO_SUCH_MODEL, 408: ModelFault.SLOW, 413: ModelFault.NO_ROOM,
    429: ModelFault.BUSY, 503: ModelFault.BUSY, 504: ModelFault.SLOW, 529: ModelFault.BUSY,
}  # fmt: skip
# Where the providers name the end of an answer, and what each says.
_FINISH_KEYS = ("finish_reason", "stop_reason", "done_reason")
_WHOLE = {"stop", "end_turn", "stop_sequence"}
_FINISHES = {
    "length": ModelFault.TOO_LONG, "max_tokens": ModelFault.TOO_LONG,
    "model_context_window_exceeded": ModelFault.TOO_LONG,
    "content_filter": ModelFault.DECLINED, "refusal": ModelFault.DECLINED,
    "tool_calls": ModelFault.DECLINED, "tool_use": ModelFault.DECLINED,
    "function_call": ModelFault.DECLINED,
}  # fmt: skip
_THOUGHT, _THOUGHT_END = "<think>", "</think>"


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message of a prompt."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, kw_only=True)
class _Call:
    """One call: its messages, its bound in tokens, and where its pieces go."""

    messages: Sequence[Message]
    streamed: bool
    most_tokens: int
    put: Callable[[str], None]


class ChatModel:
    """A chat model within its limits; safe to use from several threads.

    `name` is the provider and the model, as `openai:gpt-4o-mini`.
    """

    def __init__(
        self,
        name: str,
        chat: BaseChatModel,
        limits: ModelLimits,
        bounded: Callable[[int], Mapping[str, Any]],
    ) -> None:
        self.name = name
        self._chat = chat
        self._limits = limits
        self._bounded = bounded
        self._gate = Gate(limits=limits)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._starting = threading.Lock()

    def stream(self, messages: Sequence[Message]) -> Iterator[str]:
        """The answer to `messages`, piece by piece, as it comes.

        Nothing is sent before the first piece is asked for; closing the iterator ends
        the call at the provider. An answer is whole only when the iterator ends without
        an error. Raises `ModelError`, also after pieces were given.
        """
        return self._run(messages, True, self._limits.most_tokens)

    def complete(self, messages: Sequence[Message], *, most_tokens: int = 200) -> str:
        """The whole answer to `messages` in one piece, for short texts. Raises `ModelError`."""
        return "".join(self._run(messages, False, most_tokens))

    def _run(self, messages: Sequence[Message], streamed: bool, most_tokens: int) -> Iterator[str]:
        pieces: SimpleQueue[str | ModelError | None] = SimpleQueue()
        call = _Call(messages=messages, streamed=streamed, most_tokens=most_tokens, put=pieces.put)

        async def work() -> None:
            try:
                await self._pass(call)
            except ModelError as error:
                pieces.put(error)
            except BaseException:
                # Ended from within a provider's package: the reader must not wait for ever.
                pieces.put(ModelError(ModelFault.BROKEN))
                raise
            else:
                pieces.put(None)

        running = asyncio.run_coroutine_threadsafe(work(), self._started())
        try:
            while (piece := pieces.get()) is not None:
                if isinstance(piece, ModelError):
                    raise piece
                yield piece
        finally:
            running.cancel()

    def _started(self) -> asyncio.AbstractEventLoop:
        """The loop in which all calls of this model run, in a thread of its own.

        A stream that blocks in a thread can't be ended from outside; a task can.
        """
        with self._starting:
            if self._loop is None:
                self._loop = loop = asyncio.new_event_loop()
                threading.Thread(
                    target=_run_until_stopped, args=(loop,), name="chat model", daemon=True
                ).start()
                # Nobody closes a model: its thread and its sockets go with it.
                weakref.finalize(self, loop.call_soon_threadsafe, loop.stop)
            return self._loop

    async def _pass(self, call: _Call) -> None:
        """Make one call through the gate; whatever goes wrong becomes a `ModelError`."""
        cause = ""
        try:
            with self._gate.passed("answer" if call.streamed else "text"):
                try:
                    async with asyncio.timeout(self._limits.total_s):
                        await self._try_twice(call)
                except ModelError:
                    raise
                except Exception as error:  # noqa: BLE001 (provider packages raise of every kind)
                    cause = type(error).__name__
                    raise ModelError(_fault(error)) from None
        except ModelError as error:
            _log.warning("chat model: %s%s", error.fault.value, cause and f" ({cause})")
            # Without the provider's exception, whose text may hold a key.
            error.__context__ = None
            raise

    async def _try_twice(self, call: _Call) -> None:
        """A second try only before the first piece, and only when the provider says so."""
        began = False

        def put(piece: str) -> None:
            nonlocal began
            began = True
            call.put(piece)

        try:
            await self._read(call, put)
        except Exception as error:
            wait = _retry_after(error)
            if began or wait is None or not 0 <= wait <= self._limits.retry_after_s:
                raise
            await asyncio.sleep(wait)
            await self._read(call, put)

    async def _read(self, call: _Call, put: Callable[[str], None]) -> None:
        """Read one answer to its end. Raises `ModelError` when it is not whole."""
        text = _Text(put, self._limits.most_characters)
        async with aclosing(self._timed(call, text)) as messages:
            async for message in messages:
                text.add(message)
        text.end()

    async def _timed(self, call: _Call, text: "_Text") -> AsyncGenerator[BaseMessage]:
        """The messages of one answer; none may be late."""
        prompt = [(message.role, message.content) for message in call.messages]
        options = self._bounded(call.most_tokens)
        now = asyncio.get_running_loop().time
        first = now() + self._limits.first_token_s
        if not call.streamed:
            async with asyncio.timeout_at(first):
                message: BaseMessage = await self._chat.ainvoke(prompt, **options)
            yield message
            return
        answer = cast("AsyncGenerator[BaseMessage]", self._chat.astream(prompt, **options))
        async with aclosing(answer) as stream:
            while True:
                late = now() + self._limits.gap_s if text.length else first
                try:
                    async with asyncio.timeout_at(late):
                        message = await anext(stream)
                except StopAsyncIteration:
                    return
                yield message


class _Text:
    """The text of one answer as it comes in, and how it ends."""

    def __init__(self, put: Callable[[str], None], most: int) -> None:
        self._put = put
        self._most = most
        self._held = ""
        self._finish = ""
        self._words = False
        self.length = 0

    def add(self, message: BaseMessage) -> None:
        """Take one message in and pass its text on. Raises `ModelError` TOO_LONG."""
        for key in _FINISH_KEYS:
            self._finish = str(message.response_metadata.get(key) or self._finish)
        if message.additional_kwargs.get("refusal"):
            raise ModelError(ModelFault.DECLINED)
        room = self._most - self.length
        text = message.text
        self.length += len(text)
        if text:
            self._pass_on(text[:room])
        if len(text) > room:
            raise ModelError(ModelFault.TOO_LONG)

    def end(self) -> None:
        """The stream ended. Raises `ModelError` unless it was a whole answer."""
        if self._finish in _FINISHES:
            raise ModelError(_FINISHES[self._finish])
        # Not the beginning of a thought after all, but an answer as short as "<".
        if self._held and not self._held.startswith(_THOUGHT):
            self._words = True
            self._put(self._held)
        if not self._words:
            raise ModelError(ModelFault.EMPTY)
        if self._finish not in _WHOLE:
            raise ModelError(ModelFault.BROKEN)

    def _pass_on(self, text: str) -> None:
        """Pass text on, but hold back empty space and thoughts that stand before an answer."""
        if self._words:
            self._put(text)
            return
        self._held = (self._held + text).lstrip()
        if self._held.startswith(_THOUGHT):
            _, ended, after = self._held.partition(_THOUGHT_END)
            if not ended:
                return
            self._held = after.lstrip()
        if self._held and not _THOUGHT.startswith(self._held):
            self._words = True
            self._put(self._held)
            self._held = ""


def _run_until_stopped(loop: asyncio.AbstractEventLoop) -> None:
    # A runner, because it ends what is still open when the loop stops.
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.get_loop().run_forever()


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _fault(error: Exception) -> ModelFault:
    """Which fault an exception of a provider package is."""
    if isinstance(error, ContextOverflowError):
        return ModelFault.NO_ROOM
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        return _STATUSES.get(status, ModelFault.ERROR)
    # The HTTP libraries differ by provider; the names of their errors do not.
    kinds = {kind.__name__ for cause in _causes(error) for kind in type(cause).__mro__}
    if isinstance(error, TimeoutError | ModelTimeoutError) or "TimeoutException" in kinds:
        return ModelFault.SLOW
    if kinds & {"ConnectError", "UnsupportedProtocol"} or type(error) is ConnectionError:
        return ModelFault.UNREACHABLE
    return ModelFault.BROKEN


def _retry_after(error: Exception) -> float | None:
    """Seconds after which the provider asks to try again; None where it doesn't."""
    status = getattr(error, "status_code", None)
    headers = getattr(getattr(error, "response", None), "headers", None)
    if headers is None or not isinstance(status, int) or not (status == 429 or status >= 500):
        return None
    try:
        return float(headers.get("retry-after", ""))
    except ValueError:
        return None


def load_chat_model(
    name: str, *, base_url: str = "", api_key: str = "", limits: ModelLimits | None = None
) -> ChatModel:
    """The chat model called `name`: `openai:…`, `anthropic:…`, `ollama:…` or `huggingface:…`.

    base_url: address of the provider's server, where it is not the usual one; api_key:
    its key, where it does not stand in the provider's own environment variable. Nothing
    is sent. Raises `ExpectedError` when the name has another form, the provider's package
    is missing, there is no key, or a local model can't be loaded.
    """
    limits = limits or ModelLimits()
    opened = open_provider(name.strip(), base_url.strip(), api_key, limits)
    return ChatModel(opened.name, opened.chat, limits, opened.bounded)
