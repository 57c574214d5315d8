"""What a chat model may cost and how it may fail.

Owns the kinds of failure, the limits of time, length and number, and the gate that
every call passes: how many run at once, how many a minute, and the pause after
repeated failures. Knows no provider and no text.
"""

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

_MINUTE = 60.0


class ModelFault(StrEnum):
    """Why a chat model gave no whole answer."""

    UNREACHABLE = "unreachable"
    """No connection to the provider's address."""
    KEY_REFUSED = "key refused"
    """The provider refuses the key or the account."""
    NO_SUCH_MODEL = "no such model"
    """The provider has no model, or no service, of that name."""
    BUSY = "busy"
    """The provider, or this server, has too much to do."""
    ERROR = "error"
    """The provider answers with an error that is none of the others."""
    BROKEN = "broken"
    """What came is not an answer: bad data, a stream that ends too soon or with an error."""
    SLOW = "slow"
    """A time limit was reached: connecting, the first words, a pause, or the whole."""
    EMPTY = "empty"
    """An answer without words."""
    TOO_LONG = "too long"
    """The answer goes beyond the limit of length."""
    NO_ROOM = "no room"
    """The question with its evidence is longer than the model can read."""
    DECLINED = "declined"
    """The provider withheld the answer, or the model asked for something else than to answer."""
    SPENT = "spent"
    """Not called: the answers of this minute are used up, or it failed too often just now."""


class ModelError(Exception):
    """A chat model gave no whole answer. `fault` says why; no text of the provider is kept."""

    def __init__(self, fault: ModelFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


@dataclass(frozen=True, kw_only=True)
class ModelLimits:
    """Bounds of every call to a chat model. Times are in seconds."""

    connect_s: float = 5.0
    first_token_s: float = 20.0
    gap_s: float = 10.0
    """Longest pause between two pieces of an answer."""
    total_s: float = 60.0
    """Longest time for one call, a second try included."""
    most_tokens: int = 700
    """Tokens of an answer, asked of the provider."""
    most_characters: int = 8000
    """Characters of an answer, counted here."""
    answers_per_minute: int = 30
    """Answers in any 60 seconds; and as many short calls besides, as for rewriting a question."""
    at_once: int = 4
    retry_after_s: float = 2.0
    """A second try is made when the provider asks to wait no longer than this."""
    failures: int = 5
    """So many failures in a row close the gate."""
    rest_s: float = 60.0
    """How long it stays closed; then one call tries again."""


# About this one question, not about the state of the provider.
_HARMLESS = frozenset({ModelFault.TOO_LONG, ModelFault.NO_ROOM, ModelFault.DECLINED})


@dataclass(kw_only=True)
class Gate:
    """Lets calls to one chat model through, or not. Used from one thread only."""

    limits: ModelLimits
    _running: int = 0
    _failed: int = 0
    _closed_until: float = 0.0
    _trying: bool = False
    _begun: dict[str, deque[float]] = field(default_factory=dict)

    @contextmanager
    def passed(self, purpose: str) -> Iterator[None]:
        """Hold a place while the block runs; calls are counted by `purpose`.

        Raises `ModelError` SPENT when the gate is closed or the minute used up, BUSY
        when all places are taken. A `ModelError` of the block counts as a failure
        unless it concerns one question only; a block that is cancelled counts as nothing.
        """
        now = time.monotonic()
        trial = self._failed >= self.limits.failures
        if trial and (self._trying or now < self._closed_until):
            raise ModelError(ModelFault.SPENT)
        if self._running >= self.limits.at_once:
            raise ModelError(ModelFault.BUSY)
        self._count(purpose, now)
        self._running += 1
        self._trying = trial
        try:
            yield
        except ModelError as error:
            self._note(error.fault not in _HARMLESS)
            raise
        else:
            self._note(False)
        finally:
            self._running -= 1
            if trial:
                self._trying = False

    def _count(self, purpose: str, now: float) -> None:
        begun = self._begun.setdefault(purpose, deque())
        while begun and begun[0] <= now - _MINUTE:
            begun.popleft()
        if len(begun) >= self.limits.answers_per_minute:
            raise ModelError(ModelFault.SPENT)
        begun.append(now)

    def _note(self, failed: bool) -> None:
        self._failed = self._failed + 1 if failed else 0
        if self._failed >= self.limits.failures:
            self._closed_until = time.monotonic() + self.limits.rest_s
