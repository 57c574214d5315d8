"""How much may be asked: by whom, in a minute and a day, and how many answers run at once.

Owns the counting and the waiting line. Addresses are cut and hashed with a salt of the day
before they are counted, and are kept nowhere. Knows nothing of partners or of HTTP.
"""

import asyncio
import hashlib
import hmac
import logging
import math
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import urlsplit

from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerMinute
from limits.errors import ConfigurationError, StorageError
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter

from assistant.web.addresses import parsed, widened
from corpus.errors import ExpectedError

BUCKETS = 2**14
"""Counters for visitors, over all sites. Their number is bounded, whatever comes in; two
visitors then share one now and then, which costs each a little of a generous limit."""

_SHARE = 5

_STORES = frozenset({"memory", "redis", "rediss", "redis+unix"})

_LOG = logging.getLogger("rapporteur.web")


class OverQuota(Exception):
    """More was asked than the quota allows; `retry_after` seconds later it may go on."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"over the quota for {retry_after} s")
        self.retry_after = retry_after


class Busy(Exception):
    """Nothing can be answered at the moment; it is worth a try after `retry_after` seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"busy, try again in {retry_after} s")
        self.retry_after = retry_after


def share(total: int) -> int:
    """What one visitor may have of a site's `total`: a fifth, but at least one question."""
    return max(1, total // _SHARE)


def visitor(address: str, secret: str = "") -> str:
    """A name for the visitors of a network for one day (UTC), which tells nothing of them.

    IPv4 addresses count by /24, IPv6 by /64; what is no address shares one name. Processes
    that count together give the same `secret`; without it the salt is a random one that
    is forgotten at midnight and with the process.
    """
    day = datetime.now(UTC).date().isoformat()
    salt = hmac.digest(secret.encode(), day.encode(), "sha256") if secret else _salt(day)
    found = parsed(address)
    network = str(widened(found)) if found is not None else "unknown"
    return hmac.new(salt, network.encode(), "sha256").hexdigest()[:32]


@lru_cache(maxsize=1)
def _salt(_day: str) -> bytes:
    return secrets.token_bytes(32)


class Quotas:
    """Counts questions in fixed windows of a minute and a day; safe to share among threads."""

    def __init__(self, store: str = "memory://", buckets: int = BUCKETS) -> None:
        """`store` is `memory://` or the URL of a Redis. Raises `ExpectedError` for another."""
        try:
            if urlsplit(store).scheme not in _STORES:
                raise ValueError
            self._storage = storage_from_string(store, wrap_exceptions=True)
        except (ConfigurationError, ValueError) as error:
            raise ExpectedError(
                "The setting RAPPORTEUR_QUOTA_STORE can't be used.",
                "Set memory://, or the URL of a Redis (and install the package redis).",
            ) from error
        self._windows = FixedWindowRateLimiter(self._storage)
        self._buckets = buckets

    def spend(self, *parts: str, visitor: str = "", per_minute: int, per_day: int) -> None:
        """Count one question for `parts`, and there for one `visitor` if one is given.

        `parts` name something of which there are few, as a partner's id; visitors share a
        bounded number of counters. Spend for the visitor first, then for the site, so that
        one who is refused uses up nothing of the others'. With Redis this waits for the
        network: call it in a thread. Raises `OverQuota`; `Busy` when Redis is away.
        """
        key = (*parts, self._bucket(parts, visitor)) if visitor else parts
        try:
            self._hit(RateLimitItemPerMinute(per_minute), key)
            self._hit(RateLimitItemPerDay(per_day), key)
        except StorageError as error:
            _LOG.error("the store of the quotas failed: %s", type(error.storage_error).__name__)
            raise Busy(30) from error

    def _hit(self, window: RateLimitItem, key: tuple[str, ...]) -> None:
        if self._windows.hit(window, *key):
            return
        over = self._windows.get_window_stats(window, *key).reset_time - time.time()
        raise OverQuota(max(1, math.ceil(over)))

    def _bucket(self, parts: tuple[str, ...], visitor: str) -> str:
        digest = hashlib.sha256("\0".join((*parts, visitor)).encode()).digest()
        return f"#{int.from_bytes(digest[:8]) % self._buckets}"


class RunningAnswers:
    """Lets `most` answers run at once; `waiting` others wait, at most `patience` seconds."""

    def __init__(self, most: int, waiting: int = 32, patience: float = 10.0) -> None:
        self._free = asyncio.Semaphore(most)
        self._most_waiting = waiting
        self._waiting = 0
        self._patience = patience

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Hold one place while an answer is made; first come, first served.

        Raises `Busy` at once when the line is full, or when no place came free in time.
        """
        await self._enter()
        try:
            yield
        finally:
            self._free.release()

    async def _enter(self) -> None:
        if not self._free.locked():
            await self._free.acquire()
            return
        if self._waiting >= self._most_waiting:
            raise Busy(self._retry_after)
        self._waiting += 1
        try:
            async with asyncio.timeout(self._patience):
                await self._free.acquire()
        except TimeoutError:
            raise Busy(self._retry_after) from None
        finally:
            self._waiting -= 1

    @property
    def _retry_after(self) -> int:
        return max(1, math.ceil(self._patience))
