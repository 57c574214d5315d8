"""The app that serves it all: the chat, passages, documents, health.

Owns routes, start and stop. Knows nothing of how an answer is found or how the chat
page is built.
"""

import contextlib
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated

import uvicorn
from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Mount

from assistant.settings import Settings
from assistant.web import ui
from assistant.web.conversation import Conversation
from assistant.web.headers import CHAT, Guard
from assistant.web.pages import STATIC, NotInLibrary, Pages
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
    """The whole app over an assistant: chat at `/chat`, the pages, `/healthz`.

    It answers to the local host names, to `settings.host` unless that stands for every
    address, and to `settings.allowed_hosts`.
    """
    app = FastAPI(title="Rapporteur", docs_url=None, redoc_url=None, openapi_url=None)
    pages = Pages()
    _add_pages(app, assistant, pages)
    _add_services(app, assistant)
    # Its presence switches Gradio's own off, which lets every origin in.
    app.add_middleware(CORSMiddleware, allow_origins=[])
    ui.mount(app, assistant, CHAT)
    _add_errors(app, _mounted(app, CHAT), pages)
    hosts = set(settings.allowed_hosts) | ({settings.host} - _ANY_ADDRESS)
    app.add_middleware(Guard, hosts=hosts)
    return app


def _mounted(app: FastAPI, path: str) -> FastAPI:
    return next(
        route.app
        for route in app.routes
        if isinstance(route, Mount) and route.path == path and isinstance(route.app, FastAPI)
    )


def _add_pages(app: FastAPI, assistant: "Assistant", pages: Pages) -> None:
    @app.get("/")
    def root() -> Response:
        return RedirectResponse(f"{CHAT}/", status_code=307)

    @app.get("/passages/{passage_id}")
    def passage(
        passage_id: str, start: _Offset = None, end: _Offset = None, fragment: bool = False
    ) -> Response:
        marked = (start, end) if start is not None and end is not None and start < end else None
        return HTMLResponse(
            pages.passage(assistant.catalogue(), passage_id, marked=marked, fragment=fragment)
        )

    @app.get("/documents")
    def documents(q: _Id = "", kind: _Id = "") -> Response:
        return HTMLResponse(pages.documents(assistant.catalogue(), q, kind))

    @app.get("/documents/{document_id}")
    def document(document_id: str, fragment: bool = False) -> Response:
        return HTMLResponse(pages.document(assistant.catalogue(), document_id, fragment=fragment))

    @app.get("/favicon.ico")
    def icon() -> Response:
        return FileResponse(STATIC / "favicon.svg", media_type="image/svg+xml")

    @app.get("/static/{name}")
    def static(name: str) -> Response:
        if name not in _STATIC_FILES:
            raise HTTPException(404)
        return FileResponse(
            STATIC / name, media_type=_STATIC_FILES[name], headers={"Cache-Control": "no-cache"}
        )


def _add_services(app: FastAPI, assistant: "Assistant") -> None:
    @app.get("/healthz")
    def health() -> Response:
        status = assistant.reader.status()
        return JSONResponse(
            {
                "status": "ok" if status.available else "unavailable",
                "generation": status.generation,
                "documents": status.documents,
                "passages": status.passages,
                "degraded": status.degraded,
            },
            status_code=200 if status.available else 503,
        )

    @app.post("/conversation")
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


def _add_errors(app: FastAPI, mounted: FastAPI, pages: Pages) -> None:
    """One way to tell an error, to people and to programs, for `app` and what it mounts."""

    def told(request: Request, status: int, title: str, text: str) -> Response:
        if "text/html" in request.headers.get("accept", ""):
            return HTMLResponse(pages.message(title, text), status_code=status)
        return JSONResponse({"error": title, "message": text}, status_code=status)

    @app.exception_handler(NotInLibrary)
    async def missing(request: Request, error: NotInLibrary) -> Response:
        return told(request, 404, "Not in the library", str(error))

    @app.exception_handler(ExpectedError)
    async def expected(request: Request, error: ExpectedError) -> Response:
        is_post = request.method == "POST"
        return told(request, 400 if is_post else 503, "This can't be done now", str(error))

    # The default one repeats what was sent, and fails over numbers that JSON doesn't know.
    @mounted.exception_handler(RequestValidationError)
    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        return told(request, 400, "This address isn't right", "Please check the link you followed.")

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        if error.status_code == 404:
            return told(request, 404, "Nothing here", "There is no page at this address.")
        if error.status_code == 413:
            return told(request, 413, "Too large", "The request is larger than is taken here.")
        title = "This can't be done"
        return told(request, error.status_code, title, "The request couldn't be understood.")


def serve(
    app: FastAPI, host: str, port: int, announce: Callable[[str], None] | None = None
) -> None:
    """Serve until told to stop by SIGTERM or SIGINT; then end open streams within seconds.

    Prints nothing. `announce` is called once with the address, as soon as connections
    are taken; with port 0 that is where to find out which one it is. Raises
    `ExpectedError` when the port or the address can't be used.
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
        uvicorn.Server(config).run(sockets=[listener])


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
