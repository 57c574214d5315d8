"""A chat model for the tests: a local server that speaks OpenAI's protocol over real HTTP.

It answers Anthropic's and Ollama's paths too, in their protocols (`model_wire`).

It answers from the evidence that it finds in its prompt (`model_answers`), and can
be told to fail in every way that a provider does. Set `mode` for all calls, or
`script` for the next ones. It counts calls, open streams and what it was sent.
"""

import contextlib
import json
import select
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from model_answers import MANNERS, answer
from model_wire import (
    DIALECTS,
    KEY_ECHO,
    NO_WORDS,
    ODD_STREAMS,
    ODD_WHOLES,
    OLLAMA,
    OPENAI,
    Dialect,
)

STATUSES = {
    "400": 400, "400 context": 400, "401": 401, "402": 402, "403": 403, "404": 404, "429": 429,
    "429 soon": 429, "429 later": 429, "500": 500, "503": 503, "503 soon": 503,
}  # fmt: skip
"""Mode → the HTTP status it answers; those that say when to try again send `Retry-After`."""

UNFINISHED = {"length": "length", "filter": "content_filter"}
"""Mode → the finish that is sent instead of `stop`."""


class ModelServer:
    """The running server. `url` is the base URL to hand to a client.

    mode: how all calls are answered; script: modes of the next calls, used up first;
    rewritten: the answer to a prompt without evidence; drip_s: pause between pieces
    in the mode "drip"; calls, requests, keys: what came in; open, most_open: answers
    being sent now, and the most at once; looks: paths that were only looked at; elsewhere:
    requests that followed a redirect.
    """

    def __init__(self) -> None:
        self.mode = "honest"
        self.script: list[str] = []
        self.rewritten = ""
        self.drip_s = 0.05
        self.requests: list[dict] = []
        self.keys: list[str] = []
        self.looks: list[str] = []
        self.open = 0
        self.most_open = 0
        self.elsewhere = 0
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._http = _Quiet(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.address = f"http://127.0.0.1:{self._http.server_port}"
        self.url = f"{self.address}/v1"

    @property
    def calls(self) -> int:
        return len(self.requests)

    def close(self) -> None:
        """Stop; open answers end."""
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()

    def idle(self, seconds: float = 10.0) -> bool:
        """Wait until no answer is being sent; False when one still is after `seconds`."""
        end = time.monotonic() + seconds
        while self.open and time.monotonic() < end:
            time.sleep(0.01)
        return self.open == 0

    def take(self, request: dict, key: str) -> str:
        """Note a request; gives the mode to answer it in."""
        with self._lock:
            self.requests.append(request)
            self.keys.append(key)
            return self.script.pop(0) if self.script else self.mode

    @contextlib.contextmanager
    def answering(self) -> Iterator[None]:
        """Count an answer as open while it is sent."""
        with self._lock:
            self.open += 1
            self.most_open = max(self.most_open, self.open)
        try:
            yield
        finally:
            with self._lock:
                self.open -= 1


@contextlib.contextmanager
def model_server() -> Iterator[ModelServer]:
    """A server that runs while the block does."""
    server = ModelServer()
    try:
        yield server
    finally:
        server.close()


MODES = (
    *MANNERS, *STATUSES, *UNFINISHED, *ODD_STREAMS, "stall", "stall amid", "drip", "cut",
    "cut early", "cut without finish", "empty", "spaces", "html page", "not json", "gzip lie",
    "huge", "loop", "redirect",
)  # fmt: skip
"""All modes."""


class _Quiet(ThreadingHTTPServer):
    """A client that goes away, or a connection broken off on purpose, is no news."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of what a broken connection raises, and let other errors be seen."""
        if not isinstance(sys.exception(), OSError | ValueError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


def _handler(model: ModelServer) -> type[BaseHTTPRequestHandler]:
    class Handler(_Handler):
        server_model = model

    return Handler


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_model: ModelServer
    dialect: Dialect

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        model = self.server_model
        model.looks.append(self.path)
        model.keys.append(self.headers.get("Authorization") or self.headers.get("x-api-key") or "")
        if model.mode in STATUSES:
            self._status(model.mode)
        elif model.mode == "redirect":
            self._redirect()
        elif model.mode == "stall":
            self._wait(3600)
        elif model.mode == "html page":
            self._body(200, b"<html><body>Welcome to the hotel</body></html>", "text/html")
        elif self.path == "/api/tags":
            self._body(200, json.dumps({"models": [{"name": "test:latest"}]}).encode())
        else:
            self._body(200, json.dumps({"object": "list", "data": [{"id": "test"}]}).encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        model = self.server_model
        if self.path.startswith("/elsewhere"):
            model.elsewhere += 1
        request = json.loads(body)
        key = self.headers.get("Authorization") or self.headers.get("x-api-key") or ""
        mode = model.take(request, key)
        self.dialect = DIALECTS.get(self.path.split("?")[0], OPENAI)
        with model.answering(), contextlib.suppress(OSError):
            self._answer(mode, request)

    def _answer(self, mode: str, request: dict) -> None:
        if mode in STATUSES:
            self._status(mode)
        elif mode == "redirect":
            self._redirect()
        elif mode == "html page":
            self._body(200, b"<html><body>Welcome to the hotel</body></html>", "text/html")
        elif mode == "not json":
            self._body(200, b"upstream is warming up")
        elif mode == "gzip lie":
            self._body(200, b"this is not gzip", encoding="gzip")
        elif mode == "cut early":
            self._reset()
        elif request.get("stream", self.dialect is OLLAMA):
            self._stream(mode, request)
        else:
            self._complete(mode, request)

    def _redirect(self) -> None:
        self.send_response(307)
        self.send_header("Location", f"{self.server_model.address}/elsewhere/chat/completions")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _status(self, mode: str) -> None:
        code = "context_length_exceeded" if mode == "400 context" else "boom"
        error = {"message": KEY_ECHO, "type": "invalid_request_error", "code": code}
        if mode == "400 context":
            error["message"] = "context_length_exceeded: too many tokens"
        waits = {"soon": "0", "later": "30"}
        wait = waits.get(mode.rsplit(maxsplit=1)[-1])
        headers = {"Retry-After": wait} if wait else {}
        self._body(STATUSES[mode], json.dumps({"error": error}).encode(), headers=headers)

    def _text(self, mode: str, request: dict) -> str:
        plain = {"empty": "", "spaces": "  \n \n", "huge": "A very long answer [1]. " * 100_000}
        if mode in plain:
            return plain[mode]
        return answer(request["messages"], mode, self.server_model.rewritten)

    def _complete(self, mode: str, request: dict) -> None:
        if mode in ODD_WHOLES:
            self._body(200, ODD_WHOLES[mode])
            return
        if mode in ("stall", "stall amid", "loop"):
            self._wait(3600)
            return
        text = self._text(mode, request)
        ending = UNFINISHED.get(mode, "stop")
        whole = json.dumps(self.dialect.whole(text, ending), ensure_ascii=False).encode()
        if mode in ("cut", "cut without finish"):
            self._head("application/json", [("Content-Length", str(len(whole)))])
            self.wfile.write(whole[: len(whole) // 2])
            self._reset()
        elif mode == "drip":
            self._head("application/json", [("Content-Length", str(len(whole)))])
            self._drip(whole[i : i + 1] for i in range(len(whole)))
        else:
            self._body(200, whole)

    def _stream(self, mode: str, request: dict) -> None:
        said = self.dialect
        self._head(said.kind, [("Transfer-Encoding", "chunked")])
        if mode == "stall":
            self._wait(3600)
            return
        self._chunk(said.begin())
        text = self._text(mode, request)
        words = [text[i : i + 7] for i in range(0, len(text), 7)]
        ends = {"stall amid": lambda: self._wait(3600), "cut": self._reset, "loop": self._loop,
                "cut without finish": lambda: None}  # fmt: skip
        if mode in ODD_STREAMS:
            for word in [] if mode in NO_WORDS else words[:3]:
                self._chunk(said.word(word))
            for odd in ODD_STREAMS[mode]:
                self._chunk(odd)
        elif mode in ends:
            for word in words[: len(words) // 2]:
                self._chunk(said.word(word))
            ends[mode]()
        else:
            pause = self.server_model.drip_s if mode == "drip" else 0.0
            for word in words:
                self._chunk(said.word(word))
                if pause and self._wait(pause):
                    return
            self._chunk(said.end(UNFINISHED.get(mode, "stop")))
        if mode != "cut":
            self.wfile.write(b"0\r\n\r\n")

    def _loop(self) -> None:
        while not self._wait(0.001):
            self._chunk(self.dialect.word("and so on [1] "))

    def _drip(self, pieces: Iterator[bytes]) -> None:
        for piece in pieces:
            self.wfile.write(piece)
            if self._wait(self.server_model.drip_s):
                return

    def _wait(self, seconds: float) -> bool:
        """Send nothing; True as soon as the client has gone or the server stops."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self.server_model.closing.is_set():
            # Not `select`, which takes no descriptor above 1023.
            poll = select.poll()
            poll.register(self.connection, select.POLLIN)
            readable = poll.poll(min(left, 0.05) * 1000)
            if readable and not self.connection.recv(1, socket.MSG_PEEK):
                self.close_connection = True
                return True
        return self.server_model.closing.is_set()

    def _reset(self) -> None:
        """Break the connection off, so that the client sees it reset."""
        self.wfile.flush()
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()
        self.close_connection = True

    def _head(self, kind: str, headers: list[tuple[str, str]]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()

    def _chunk(self, data: bytes) -> None:
        if not data:
            return
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def _body(
        self, status: int, body: bytes, kind: str = "application/json", encoding: str = "",
        headers: dict[str, str] | None = None,
    ) -> None:  # fmt: skip
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if encoding:
            self.send_header("Content-Encoding", encoding)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
