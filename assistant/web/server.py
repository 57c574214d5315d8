"""The app that serves it all: the chat, the pages, the API, the widget, health.

Owns how they are put together, the routes of the pages, start and stop. Knows nothing of
how an answer is found or how the chat page is built.
"""

import contextlib
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI, Query, Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Mount

from assistant.settings import Settings
from assistant.web import agents, api, api_docs, embed, openai_api, ui
from assistant.web.admission import Admission
from assistant.web.api import Service
from assistant.web.api_schema import HealthOut
from assistant.web.conversation import Conversation
from assistant.web.embed_files import EmbedFiles
from assistant.web.errors import add_errors
from assistant.web.feedback import Feedback
from assistant.web.headers import CHAT, Guard
from assistant.web.pages import STATIC, Pages
from assistant.web.partners import PartnersFile
from assistant.web.sse import AnswerThreads
from assistant.web.tokens import Tokens
from corpus.errors import ExpectedError

if TYPE_CHECKING:
    from assistant.chain import Assistant

_STATIC_FILES = {
    "cite.js": "text/javascript",
    "chat.css": "text/css",
    "page.css": "text/css",
    "favicon.svg": "image/svg+xml",
}

_ANY_ADDRESS = frozenset({"0.0.0.0", "::", ""})

_LAST_WORDS = 4
"""Seconds that open streams get when the server is told to stop."""

_Offset = Annotated[int | None, Query(ge=0, le=10_000_000)]
_Id = Annotated[str, Query(max_length=200)]


def create_app(assistant: "Assistant", settings: Settings) -> FastAPI:
    """The whole app over an assistant: chat, pages, API, widget, `/healthz`.

    It answers to the local host names, to `settings.host` unless that stands for every
    address, to that of `settings.public_url` and to `settings.allowed_hosts`. Raises
    `ExpectedError` for a file of partners, a store or a database that can't be used.
    """
    app = FastAPI(title="Rapporteur", docs_url=None, redoc_url=None, openapi_url=None)
    pages = Pages()
    partners = PartnersFile(settings.partners)
    tokens = Tokens([key.get_secret_value() for key in settings.token_keys])
    service = Service(
        assistant=assistant,
        admission=Admission(assistant, settings, partners, tokens),
        threads=AnswerThreads(settings.running_answers),
        feedback=Feedback(settings.feedback) if settings.feedback else None,
    )
    app.include_router(api.routes(service))
    app.include_router(api_docs.routes(app))
    _add_pages(app, assistant, pages)
    _add_services(app, assistant, partners)
    app.include_router(embed.routes(service, tokens, EmbedFiles(STATIC), pages))
    openai_api.mount(app, service, settings.public_url)
    agents.mount(app, service, settings.public_url)
    # Its presence switches Gradio's own off, which lets every origin in.
    app.add_middleware(CORSMiddleware, allow_origins=[])
    ui.mount(app, assistant, CHAT)
    chat = _mounted(app, CHAT)
    add_errors(app, [chat], pages)
    # Every open chat page holds one of Gradio's streams, which else ends with the page.
    app.state.stopping = chat.stop_event.set  # type: ignore[attr-defined]
    app.add_middleware(
        Guard,
        hosts=_hosts(settings),
        proxies=settings.trusted_proxies,
        admit_chat=service.admission.admit_chat,
    )
    return app


def _hosts(settings: Settings) -> set[str]:
    public = urlsplit(settings.public_url).hostname
    own = {settings.host} - _ANY_ADDRESS
    return set(settings.allowed_hosts) | own | ({public} if public else set())


def _mounted(app: FastAPI, path: str) -> FastAPI:
    return next(
        route.app
        for route in app.routes
        if isinstance(route, Mount) and route.path == path and isinstance(route.app, FastAPI)
    )


def _add_pages(app: FastAPI, assistant: "Assistant", pages: Pages) -> None:
    @app.get("/", include_in_schema=False)
    def root() -> Response:
        return RedirectResponse(f"{CHAT}/", status_code=307)

    @app.get("/passages/{passage_id}", include_in_schema=False)
    def passage(
        passage_id: str, start: _Offset = None, end: _Offset = None, fragment: bool = False
    ) -> Response:
        marked = (start, end) if start is not None and end is not None and start < end else None
        return HTMLResponse(
            pages.passage(assistant.catalogue(), passage_id, marked=marked, fragment=fragment)
        )

    @app.get("/documents", include_in_schema=False)
    def documents(q: _Id = "", kind: _Id = "") -> Response:
        return HTMLResponse(pages.documents(assistant.catalogue(), q, kind))

    @app.get("/documents/{document_id}", include_in_schema=False)
    def document(document_id: str, fragment: bool = False) -> Response:
        return HTMLResponse(pages.document(assistant.catalogue(), document_id, fragment=fragment))

    @app.get("/favicon.ico", include_in_schema=False)
    def icon() -> Response:
        return FileResponse(STATIC / "favicon.svg", media_type="image/svg+xml")

    @app.get("/static/{name}", include_in_schema=False)
    def static(name: str) -> Response:
        if name not in _STATIC_FILES:
            raise HTTPException(404)
        return FileResponse(
            STATIC / name, media_type=_STATIC_FILES[name], headers={"Cache-Control": "no-cache"}
        )


def _add_services(app: FastAPI, assistant: "Assistant", partners: PartnersFile) -> None:
    @app.get("/healthz", response_model=HealthOut, responses={503: {"model": HealthOut}})
    def health() -> Response:
        """Whether questions can be answered, and what of."""
        status = assistant.reader.status()
        return JSONResponse(
            {
                "status": "ok" if status.available else "unavailable",
                "generation": status.generation,
                "documents": status.documents,
                "passages": status.passages,
                "degraded": status.degraded,
                "partners": partners.problem,
            },
            status_code=200 if status.available else 503,
        )

    @app.post("/conversation", include_in_schema=False)
    async def conversation(request: Request) -> Response:
        """Turn the conversation that a page sends into a file; nothing is kept."""
        try:
            sent = (await request.body()).decode("utf-8")
            text = Conversation.parse(sent).as_markdown()
        except UnicodeDecodeError:
            raise HTTPException(400) from None
        return Response(
            text,
            media_type="text/markdown; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="conversation.md"'},
        )


def serve(
    app: FastAPI,
    host: str,
    port: int,
    announce: Callable[[str], None] | None = None,
    ended: threading.Event | None = None,
) -> None:
    """Serve until told to stop by SIGTERM or SIGINT; then end open streams within seconds.

    Prints nothing. `announce` is called once with the address, as soon as connections
    are taken; with port 0 that is where to find out which one it is. In a thread no signal
    comes: setting `ended` stops it too. Raises `ExpectedError` when the port or the address
    can't be used.
    """
    listener = _listen(host, port)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_LAST_WORDS,
        ws="none",
    )
    with contextlib.closing(listener), _ends_quietly():
        if announce is not None:
            announce(_address(host, listener.getsockname()[1]))
        _Server(config, app.state.stopping, ended or threading.Event()).run(sockets=[listener])


class _Server(uvicorn.Server):
    """Ends what only waits as soon as it is told to stop; answers get their last words."""

    def __init__(
        self, config: uvicorn.Config, stopping: Callable[[], None], ended: threading.Event
    ) -> None:
        super().__init__(config)
        self._stopping = stopping
        self._ended = ended

    async def on_tick(self, counter: int) -> bool:
        """Called ten times a second, in the server's loop; whether it is to stop."""
        return await super().on_tick(counter) or self._ended.is_set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Called once, in the server's loop."""
        self._stopping()
        await super().shutdown(sockets)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise ExpectedError(
            f"Port {port} on {host} can't be used: {error.strerror or 'unknown host'}.",
            "Choose another one with --port, or 0 to take any that is free.",
        ) from error
    listener.setblocking(False)
    return listener


def _address(host: str, port: int) -> str:
    shown = "127.0.0.1" if host in _ANY_ADDRESS else host
    return f"http://[{shown}]:{port}/" if ":" in shown else f"http://{shown}:{port}/"


@contextlib.contextmanager
def _ends_quietly() -> Iterator[None]:
    """Let a signal end the server and not the process, so that its caller returns normally.

    uvicorn raises the signals that it caught once more when it is done; these handlers
    take them. In a thread there are no signals to take.
    """
    try:
        kept = {
            number: signal.signal(number, lambda *_: None)
            for number in (signal.SIGTERM, signal.SIGINT)
        }
    except ValueError:
        kept = {}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
