"""Who gets in: the one place that lets a question through, or says why not.

Owns the order of the checks (origin, token, partner, quota, a free place) and what each
refusal says. Nothing that a client can choose freely is counted on. Knows nothing of what
is asked or answered.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import Scope

from assistant.answers import Mode
from assistant.settings import Settings
from assistant.web.errors import Refused
from assistant.web.limits import Busy, OverQuota, Quotas, RunningAnswers, share, visitor
from assistant.web.partners import Partner, PartnersFile
from assistant.web.tokens import Claims, TokenExpired, TokenInvalid, Tokens
from index.catalogue import Catalogue
from index.retrieval import NO_DOCUMENT, Filters

if TYPE_CHECKING:
    from assistant.chain import Assistant

TokenUse = Literal["optional", "required", "ignored"]
Cost = Literal["question", "rating", "nothing"]

RENEWABLE = 12 * 3600
"""Seconds after its end in which a token can still be renewed."""

_RATINGS = (20, 200)
"""Ratings a minute and a day by one truncated address."""

_CHAT = (30, 2000)
"""Questions a minute and a day in the chat page where the open interfaces are closed."""

_WAITING = 64
_PATIENCE = 60.0
"""Seconds that a question waits for its turn. Fifty asked at once take two cores about 15."""


@dataclass(frozen=True, kw_only=True)
class Admitted:
    """A request that may go on: for which partner (None: the open API), on what terms.

    `filters` say what may be searched, `origin` on whose page the widget stands (empty
    where that isn't known).
    """

    partner: Partner | None
    filters: Filters
    origin: str

    def modes(self, offered: tuple[Mode, ...]) -> tuple[Mode, ...]:
        """The ways of answering that may be chosen, of those `offered`; the default first."""
        return offered if self.partner is None else modes_of(self.partner, offered)

    def narrowed(self, asked: Filters, catalogue: Catalogue) -> Filters:
        """What is searched when `asked` is wanted: never more than is allowed."""
        if asked == Filters():
            return self.filters
        if self.filters == Filters():
            return asked
        both = {
            document.id
            for document in catalogue.documents.values()
            if self.filters.allows(document) and asked.allows(document)
        }
        return Filters(documents=frozenset(both) or NO_DOCUMENT)


def modes_of(partner: Partner, offered: tuple[Mode, ...]) -> tuple[Mode, ...]:
    """The ways of answering that a partner's visitors may choose, of those `offered`."""
    if partner.mode == "visitor":
        return offered
    return (partner.mode,) if partner.mode in offered else ("quotation",)


class Admission:
    """Lets requests in. Safe to share among requests; holds the counts and nothing else."""

    def __init__(
        self, assistant: "Assistant", settings: Settings, partners: PartnersFile, tokens: Tokens
    ) -> None:
        """Raises `ExpectedError` for a store of quotas that can't be used."""
        self._assistant = assistant
        self._partners = partners
        self._tokens = tokens
        self._quotas = Quotas(settings.quota_store)
        self._running = RunningAnswers(settings.running_answers, _WAITING, _PATIENCE)
        self._open = bool(settings.api_per_minute and settings.api_per_day)
        self._rate = (settings.api_per_minute, settings.api_per_day) if self._open else _CHAT
        keys = [key.get_secret_value() for key in settings.token_keys]
        # Processes that count in one place must give a visitor one name.
        self._secret = keys[0] if keys and settings.quota_store != "memory://" else ""

    async def admit(
        self, request: Request, *, token: TokenUse = "optional", cost: Cost = "question"
    ) -> Admitted:
        """Let a request in and count its cost, or raise `Refused` (401, 403, 429, 503).

        With a token the terms are its partner's, without one those of the open API.
        `token="ignored"` is for clients that send a key of their own whatever they talk to.
        """
        _check_origin(request.headers)
        given = bearer(request.headers) if token != "ignored" else None
        if given is not None:
            return await self._admit_widget(request, given, cost)
        if token == "required":
            raise Refused(401, "This needs the token of a widget.", "Reload the page.")
        self.check_open()
        await self._spend(request.scope, "open", self._rate, cost)
        return Admitted(partner=None, filters=Filters(), origin="")

    async def admit_chat(self, scope: Scope) -> None:
        """Count a question of the chat page; raises `Refused` when there were too many."""
        await self._spend(scope, "open", self._rate, "question")

    def check_open(self) -> None:
        """Raises `Refused` when the operator has closed the open interfaces."""
        if not self._open:
            raise Refused(403, "The open API is closed on this server.", "Use the chat page.")

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """A place to answer in, perhaps after a wait; raises `Refused` (503) when there is none."""
        try:
            async with self._running.slot():
                yield
        except Busy as busy:
            raise _busy(busy) from None

    def partner(self, site: str, origin: str) -> Partner:
        """The partner `site`, if it may be shown on `origin` (empty: not known).

        Raises `Refused` (403): unknown, disabled, without origins, or not on this one.
        """
        partner = self._partners.get(site)
        if partner is None or not partner.origins:
            raise Refused(403, "This widget isn't available any more.", error="closed")
        if origin and not partner.allows(origin):
            raise Refused(403, "This site may not show the widget.", error="closed")
        return partner

    def claims(self, given: str, *, expired_by: int = 0) -> Claims:
        """What a token says; raises `Refused` (401), see `Tokens.read` for `expired_by`."""
        try:
            return self._tokens.read(given, expired_by=expired_by)
        except TokenExpired:
            raise Refused(
                401, "The token has expired.", "Renew it.", error="token_expired"
            ) from None
        except TokenInvalid:
            raise Refused(
                401, "The token isn't valid.", "Reload the page.", error="token_invalid"
            ) from None

    async def _admit_widget(self, request: Request, given: str, cost: Cost) -> Admitted:
        claims = self.claims(given)
        partner = self.partner(claims.site, claims.origin)
        each = (share(partner.questions_per_minute), share(partner.questions_per_day))
        await self._spend(request.scope, partner.id, each, cost)
        if cost == "question":
            # After the visitor's own, so that one who is refused takes nothing from others.
            await self._count(partner.id, (partner.questions_per_minute, partner.questions_per_day))
        filters = await run_in_threadpool(lambda: partner.filters(self._assistant.catalogue()))
        return Admitted(partner=partner, filters=filters, origin=claims.origin)

    async def _spend(self, scope: Scope, where: str, rate: tuple[int, int], cost: Cost) -> None:
        if cost == "nothing":
            return
        # `headers` has put the visitor's own address here.
        address = (scope.get("client") or ("", 0))[0]
        named = visitor(address, self._secret)
        if cost == "rating":
            await self._count(f"rating of {where}", _RATINGS, named)
        else:
            await self._count(where, rate, named)

    async def _count(self, where: str, rate: tuple[int, int], named: str = "") -> None:
        try:
            await run_in_threadpool(
                self._quotas.spend, where, visitor=named, per_minute=rate[0], per_day=rate[1]
            )
        except OverQuota as over:
            raise Refused(
                429,
                "Too many questions have been asked.",
                f"Try again in {over.retry_after} seconds.",
                retry_after=over.retry_after,
            ) from None
        except Busy as busy:
            raise _busy(busy) from None


def _busy(busy: Busy) -> Refused:
    return Refused(
        503,
        "Too many people are asking at the moment.",
        f"Try again in {busy.retry_after} seconds.",
        error="busy",
        retry_after=busy.retry_after,
    )


def bearer(headers: Headers) -> str | None:
    """The token in a request's `Authorization: Bearer …`; None when there is no such header."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else None


def is_own(origin: str, headers: Mapping[str, str]) -> bool:
    """Whether `origin` is that of this server, as the request's Host header names it."""
    try:
        netloc = urlsplit(origin).netloc.lower()
    except ValueError:
        return False
    return bool(netloc) and netloc == headers.get("host", "").lower()


def _check_origin(headers: Headers) -> None:
    origin = headers.get("origin")
    if origin is not None and not is_own(origin, headers):
        raise Refused(403, "Requests from other sites aren't answered.")
