"""What stands before every route: who may ask, for what, how much, and what the answer forbids.

Pure ASGI, so that streams pass through unbuffered. Owns the security headers, the list
of Gradio's routes that are open, whose word on addresses is believed, and the refusal of
foreign hosts, foreign origins and oversized bodies. Knows nothing of what the routes do.
"""

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from ipaddress import ip_address

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.web.addresses import Network, client_address
from assistant.web.admission import is_own
from assistant.web.chat_html import cleaned
from assistant.web.errors import CODES, Refused, is_for_programs, json_response, unexpected

CHAT = "/chat"

BODY_LIMIT = 768 * 1024
"""Bytes of a request's body: a long conversation that comes from its page, and some room."""

PROGRAM_LIMIT = 256 * 1024
"""Bytes of a body that a program sends: a question, and what was said before."""

_LOG = logging.getLogger("rapporteur.web")

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})

# Everything that the page itself asks Gradio for; uploads, files, proxies and the API are not.
_OPEN_GET = re.compile(
    r"/(?:|config|theme\.css|(?:assets|static)/[\w./-]+"
    r"|gradio_api/(?:info|startup-events|heartbeat/\w+|queue/data))"
)
_OPEN_POST = re.compile(r"/gradio_api/(?:queue/join|run/predict|cancel|reset)/?")
# Every question of the chat page goes this way, and no other.
_QUESTION = re.compile(rf"{CHAT}/gradio_api/queue/join/?")

# Each sets what Gradio believes of its own address.
_FORWARDING = re.compile(rb"(?:x-forwarded-.*|forwarded|x-original-.*|x-rewrite-url|x-real-ip)")

_COMMON = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
# Gradio writes styles into its elements and needs its own base address; it runs without
# inline scripts and without eval.
CHAT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; "
    "base-uri 'self'; form-action 'none'; frame-ancestors 'self'"
)


class BodyTooLarge(HTTPException):
    """A body went over the limit while it was being read."""

    def __init__(self) -> None:
        super().__init__(413)


class Guard:
    """The first and last thing a request meets."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Iterable[str] = (),
        proxies: Sequence[Network] = (),
        admit_chat: Callable[[Scope], Awaitable[None]] | None = None,
    ) -> None:
        """`hosts` are the names, besides the local ones, under which this may be reached.

        `proxies` are believed about addresses; `admit_chat` counts a question of the chat
        page, and raises `Refused`.
        """
        self._app = app
        self._hosts = _LOCAL | {host.lower().strip("[]") for host in hosts}
        self._proxies = tuple(proxies)
        self._admit_chat = admit_chat

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check, pass on, and put the headers on what comes back."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        guarded = _Outgoing(send, path)
        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, guarded)
            return
        scope = _trusted(scope, client_address(scope, self._proxies))
        try:
            if self._admit_chat is not None and _is_question(scope):
                await self._admit_chat(scope)
            await self._app(scope, _limited(receive, _body_limit(path)), guarded)
        except Refused as refused:
            await guarded.fail(scope, receive, _told_in_chat(refused))
        except BodyTooLarge:
            too_large = _refuse(413, "This request is too large.", path)
            await guarded.fail(scope, receive, too_large)
        except asyncio.CancelledError:
            # The server is being stopped, and has waited long enough.
            await guarded.fail(scope, receive, _refuse(503, "The server is being stopped.", path))
        except Exception as error:  # noqa: BLE001 - the one boundary: no trace may reach a visitor
            # The class alone: a message may repeat what the visitor wrote.
            _LOG.error("a request failed: %s", type(error).__name__)
            sorry = "Something went wrong here. Please try again."
            failed = json_response(unexpected()) if is_for_programs(path) else None
            await guarded.fail(scope, receive, failed or _refuse(500, sorry, path))

    def _refusal(self, scope: Scope) -> Response | None:
        headers, path = Headers(scope=scope), scope["path"]
        named = headers.getlist("host")
        host = host_name(named[0]) if len(named) == 1 else None
        if host is None or host not in self._hosts:
            return _refuse(
                400,
                "The chat doesn't answer to this host name. See RAPPORTEUR_ALLOWED_HOSTS.",
                path,
            )
        if scope["method"] not in {"GET", "HEAD", "POST"}:
            refusal = _refuse(405, "This method isn't used here.", path)
            refusal.headers["Allow"] = "GET, HEAD, POST"
            return refusal
        if scope["method"] == "POST" and not _same_site(headers):
            return _refuse(403, "Requests from other sites aren't answered.", path)
        if _declared_length(headers) > _body_limit(path):
            return _refuse(413, "This request is too large.", path)
        if not _is_open(scope["method"], path):
            return _refuse(404, "There is nothing here.", path)
        return None


def host_name(value: str) -> str | None:
    """The name or address in a Host header, lower-case, without its port; None if malformed."""
    match = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[\w.-]+)(?::\d{1,5})?", value, re.ASCII)
    if match is None:
        return None
    name = match.group(1).lower()
    if not name.startswith("["):
        return name
    try:
        return ip_address(name.strip("[]")).compressed
    except ValueError:
        return None


def _same_site(headers: Headers) -> bool:
    """No word from a browser that the request comes from another site."""
    if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return False
    origin = headers.get("origin")
    return origin is None or is_own(origin, headers)


def _declared_length(headers: Headers) -> int:
    declared = headers.get("content-length", "0")
    return int(declared) if declared.isdecimal() and len(declared) < 19 else BODY_LIMIT + 1


def _is_open(method: str, path: str) -> bool:
    if path != CHAT and not path.startswith(f"{CHAT}/"):
        return True
    inner = path.removeprefix(CHAT)
    if ".." in inner:
        return False
    allowed = _OPEN_POST if method == "POST" else _OPEN_GET
    return allowed.fullmatch(inner) is not None


def _is_question(scope: Scope) -> bool:
    return scope["method"] == "POST" and _QUESTION.fullmatch(scope["path"]) is not None


def _trusted(scope: Scope, address: str) -> Scope:
    """The request with its client's `address`, less what strangers could use to change it.

    Nor can they change what Gradio's page holds.
    """
    trusted = dict(scope)
    trusted["client"] = (address, 0)
    trusted["headers"] = [
        (name, value) for name, value in scope["headers"] if not _FORWARDING.fullmatch(name)
    ]
    if scope["path"].removeprefix(CHAT) in {"", "/", "/config"} and scope["path"] != "/":
        trusted["query_string"] = b""
    return trusted


def _body_limit(path: str) -> int:
    return PROGRAM_LIMIT if is_for_programs(path) else BODY_LIMIT


def _limited(receive: Receive, limit: int) -> Receive:
    seen = 0

    async def limited() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise BodyTooLarge
        return message

    return limited


def _refuse(status: int, sentence: str, path: str) -> Response:
    if is_for_programs(path):
        return json_response(Refused(status, sentence, error=CODES[status]))
    return PlainTextResponse(sentence + "\n", status_code=status)


def _told_in_chat(refused: Refused) -> Response:
    """A refusal as Gradio's page shows it: it reads `detail`."""
    body = json.dumps({**refused.body(), "detail": str(refused)})
    return Response(body, refused.status, headers=refused.headers(), media_type="application/json")


class _Outgoing:
    """Sends on, with the headers that the path calls for; the chat page goes through `cleaned`."""

    def __init__(self, send: Send, path: str) -> None:
        self._send = send
        self._is_page = path in {CHAT, f"{CHAT}/"}
        self._is_chat = self._is_page or path.startswith(f"{CHAT}/")
        self._is_static = path.startswith(("/static/", f"{CHAT}/assets/", f"{CHAT}/static/"))
        self._started = False
        self._held: Message | None = None
        self._page = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._started = True
            self._set_headers(MutableHeaders(scope=message))
            if self._is_page and message["status"] == 200:
                self._held = message
                return
        elif self._held is not None:
            self._page += message.get("body", b"")
            if message.get("more_body", False):
                return
            await self._send_page(self._held)
            return
        await self._send(message)

    async def _send_page(self, start: Message) -> None:
        self._held = None
        headers = MutableHeaders(scope=start)
        # Nothing to rewrite in the answer to a HEAD request.
        body = cleaned(self._page) if self._page else b""
        if body:
            headers["Content-Length"] = str(len(body))
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})

    def _set_headers(self, headers: MutableHeaders) -> None:
        policy = CHAT_POLICY if self._is_chat else PAGE_POLICY
        for name, value in {**_COMMON, "Content-Security-Policy": policy}.items():
            # Our own routes may know better for themselves; Gradio's may not.
            if self._is_chat or name not in headers:
                headers[name] = value
        if not self._is_static and (self._is_chat or "Cache-Control" not in headers):
            headers["Cache-Control"] = "no-store"
        if "text/event-stream" in headers.get("content-type", ""):
            headers["X-Accel-Buffering"] = "no"

    async def fail(self, scope: Scope, receive: Receive, response: Response) -> None:
        """Answer with `response` unless an answer is under way, which then just ends."""
        if not self._started:
            await response(scope, receive, self)
