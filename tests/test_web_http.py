"""Every route: what it answers, what it forbids, what it does with hostile requests."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest
from web_material import HOSTILE_TITLE, passage_with

from assistant.chain import Assistant
from assistant.settings import Settings
from assistant.web.headers import BODY_LIMIT, host_name
from assistant.web.server import serve
from corpus.errors import ExpectedError

pytest_plugins = ("web_fixtures",)

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def client(chat_address: str) -> httpx.Client:
    return httpx.Client(base_url=chat_address, timeout=30)


# --- headers -----------------------------------------------------------------------------


PAGES = ["/documents", "/nothing", "/passages/none", "/documents/none", "/healthz"]


@pytest.mark.parametrize("path", [*PAGES, "/passages/x?start=a", "/static/page.css"])
def test_pages_may_do_nothing_but_show(client: httpx.Client, path: str) -> None:
    headers = client.get(path, headers={"Accept": "text/html"}).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script-src" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "server" not in headers
    assert "set-cookie" not in headers


@pytest.mark.parametrize("path", ["/chat/", "/chat/config", "/chat/gradio_api/upload"])
def test_the_chat_is_strict_and_never_stored(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "unsafe-eval" not in policy
    assert "img-src 'self' data:" in policy
    assert "form-action 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert headers["cache-control"] == "no-store"
    assert "set-cookie" not in headers


def test_the_chat_page_has_no_inline_script_and_names_no_other_host(client: httpx.Client) -> None:
    page = client.get("/chat/").text
    assert page.count("<script") == page.count("src=") > 0
    assert "://" not in page.replace(str(client.base_url), "").replace("http://www.w3.org", "")
    assert client.head("/chat/").status_code == 200


def test_the_root_leads_to_the_chat(client: httpx.Client) -> None:
    answer = client.get("/")
    assert answer.status_code == 307
    assert answer.headers["location"] == "/chat/"


# --- who may ask ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "[::1", "localhost:x", "a b", "[evil]"]
)
def test_a_foreign_host_is_refused(client: httpx.Client, host: str) -> None:
    assert client.get("/chat/config", headers={"Host": host}).status_code == 400


@pytest.mark.parametrize("host", ["chat.example.org", "CHAT.example.org:443", "[::1]:80"])
def test_own_hosts_are_answered(client: httpx.Client, host: str) -> None:
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


def test_host_names_are_read_strictly() -> None:
    assert host_name("LocalHost:7860") == "localhost"
    assert host_name("[0:0::1]:7860") == "::1"
    assert host_name("a:b") is host_name("a/b") is host_name("a\r\n") is None


@pytest.mark.parametrize(
    "name", ["X-Forwarded-Host", "X-Forwarded-Server", "X-Original-Host", "Forwarded"]
)
def test_forwarding_headers_of_strangers_change_nothing(client: httpx.Client, name: str) -> None:
    headers = {name: "host=evil.example" if name == "Forwarded" else "evil.example"}
    for path in ("/chat/", "/chat/config"):
        answer = client.get(path, headers={**headers, "X-Forwarded-Proto": "gopher"})
        assert answer.status_code == 200
        assert "evil.example" not in answer.text
        assert "gopher" not in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
@pytest.mark.parametrize("path", ["/conversation", "/chat/gradio_api/queue/join"])
def test_other_sites_may_not_post(client: httpx.Client, path: str, headers: dict[str, str]) -> None:
    answer = client.post(path, json={}, headers=headers)
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


def test_no_origin_is_let_in(client: httpx.Client) -> None:
    answer = client.get("/chat/config", headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("method", ["TRACE", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_other_methods_are_not_used(client: httpx.Client, method: str) -> None:
    assert client.request(method, "/chat/").status_code == 405


# --- pages -------------------------------------------------------------------------------


def test_a_passage_stands_in_its_context_with_its_quote_marked(
    client: httpx.Client, assistant: Assistant
) -> None:
    words = "The assembly of the islands meets three times a year."
    identity, start, end = passage_with(assistant, words)
    page = client.get(f"/passages/{identity}?start={start}&end={end}").text
    assert f"<mark>{words}</mark>" in page
    assert "How often it meets" in page
    assert "Islands Press" in page
    assert "2021-05-04" in page
    assert "Retold in the project&#39;s own words." in page
    assert 'href="https://islands.example/assembly" rel="noreferrer noopener"' in page
    assert '<span class="dim">' in page
    fragment = client.get(f"/passages/{identity}?start={start}&end={end}&fragment=1").text
    assert fragment.strip().startswith("<article")
    assert f"<mark>{words}</mark>" in fragment


def test_a_hostile_document_is_shown_as_text(client: httpx.Client, assistant: Assistant) -> None:
    identity, _, _ = passage_with(assistant, "whale oil")
    document = assistant.catalogue().passages[identity].document_id
    for path in (f"/passages/{identity}", f"/documents/{document}", "/documents"):
        page = client.get(path).text
        assert "<img" not in page
        assert "&lt;img src=x onerror=alert(1)&gt;" in page
        assert "javascript:" not in page
        assert not re.search(r'(?:href|src|action)="[^"]*evil', page)
    assert HOSTILE_TITLE not in client.get("/chat/").text


@pytest.mark.parametrize("query", ["start=5&end=2", "start=0", "start=9999999&end=10000000"])
def test_offsets_that_mark_nothing_mark_nothing(
    client: httpx.Client, assistant: Assistant, query: str
) -> None:
    identity, _, _ = passage_with(assistant, "whale oil")
    answer = client.get(f"/passages/{identity}?{query}")
    assert answer.status_code == 200
    assert "<mark>" not in answer.text


@pytest.mark.parametrize(
    "query", ["start=a&end=b", "start=-1&end=5", "start=1e9&end=2", "start=9" * 9]
)
def test_offsets_that_are_no_numbers_are_refused(
    client: httpx.Client, assistant: Assistant, query: str
) -> None:
    identity, _, _ = passage_with(assistant, "whale oil")
    answer = client.get(f"/passages/{identity}?{query}", headers={"Accept": "text/html"})
    assert answer.status_code == 400
    assert "<h1>This address isn&#39;t right</h1>" in answer.text


@pytest.mark.parametrize("path", ["/passages/none", "/documents/none", "/passages/..%2f..%2fetc"])
def test_what_is_not_there_is_told_on_a_page(client: httpx.Client, path: str) -> None:
    answer = client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert "<h1>" in answer.text
    assert client.get(path, headers={"Accept": "application/json"}).json()["message"]


def test_documents_are_found_by_title_kind_and_text(client: httpx.Client) -> None:
    assert "3 of 3 documents" in client.get("/documents").text
    for query in ("q=ASSEMBLY+islands", "q=institution", "kind=institution", "q=petitions"):
        page = client.get(f"/documents?{query}").text
        assert "1 of 3 documents" in page
        assert "The assembly of the islands" in page
    assert "0 of 3 documents" in client.get("/documents?q=%3Cscript%3E").text
    assert "<script>" not in client.get("/documents?q=%3Cscript%3E").text


def test_a_document_is_readable_with_its_headings(
    client: httpx.Client, assistant: Assistant
) -> None:
    identity, _, _ = passage_with(assistant, "Seven judges")
    document = assistant.catalogue().passages[identity].document_id
    page = client.get(f"/documents/{document}").text
    assert page.count("Who sits on it") == 2
    assert "Seven judges sit on the harbour tribunal." in page


def test_health(client: httpx.Client) -> None:
    health = client.get("/healthz").json()
    assert health["status"] == "ok"
    assert health["documents"] == 3
    assert health["passages"] > 3
    assert health["generation"]
    assert health["degraded"] == ""


@pytest.mark.parametrize("name", ["page.html", "passage.html", "..%2fserver.py", "cite.js%00"])
def test_only_named_files_are_served(client: httpx.Client, name: str) -> None:
    assert client.get(f"/static/{name}").status_code == 404


# --- saving ------------------------------------------------------------------------------


def test_a_conversation_comes_back_as_a_file(client: httpx.Client) -> None:
    sent = {"exchanges": [{"question": "Why?", "state": "done", "text": "So."}]}
    answer = client.post("/conversation", json=sent)
    assert answer.headers["content-disposition"] == 'attachment; filename="conversation.md"'
    assert answer.text == "# Conversation with Rapporteur\n\n## Why?\n\nSo.\n"


@pytest.mark.parametrize(
    "body", [b"{", b"NaN", b"\xff\xfe", b'"\\ud800"', b"[" * 50_000, b"1e999", b"9" * 6000]
)
def test_a_broken_body_is_refused_politely(client: httpx.Client, body: bytes) -> None:
    answer = client.post("/conversation", content=body)
    assert answer.status_code == 400
    assert "Traceback" not in answer.text


def test_a_large_body_is_refused_early(client: httpx.Client) -> None:
    assert client.post("/conversation", content=b"x" * (BODY_LIMIT + 1)).status_code == 413

    def pieces():
        for _ in range(40):
            yield b"x" * 65536

    for path in ("/conversation", "/chat/gradio_api/queue/join"):
        assert client.post(path, content=pieces()).status_code == 413


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"data": 1e999}', b"\xff"])
def test_a_broken_question_is_no_server_error(client: httpx.Client, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = client.post("/chat/gradio_api/queue/join", content=body, headers=headers)
    assert 400 <= answer.status_code < 500


# --- start and stop --------------------------------------------------------------------------


def test_a_port_in_use_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ExpectedError, match=rf"Port {port} .*--port"):
            serve(None, "127.0.0.1", port)  # type: ignore[arg-type]


def test_it_stops_within_seconds_while_streams_are_open(web_settings: Settings) -> None:
    environment = {
        **os.environ,
        "RAPPORTEUR_LIBRARY": str(web_settings.library),
        "RAPPORTEUR_INDEX": str(web_settings.index),
    }
    command = [
        sys.executable,
        "-c",
        "from assistant.composition import build_assistant\n"
        "from assistant.settings import load_settings\n"
        "from assistant.web.server import create_app, serve\n"
        "settings = load_settings()\n"
        "say = lambda address: print(address, flush=True)\n"
        "serve(create_app(build_assistant(settings), settings), '127.0.0.1', 0, say)\n"
        "print('ended', flush=True)\n",
    ]
    server = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    assert server.stderr is not None
    try:
        address = server.stdout.readline().strip().rstrip("/")
        opened = threading.Event()

        def listen() -> None:
            path = f"{address}/chat/gradio_api/heartbeat/abc"
            try:
                with httpx.stream("GET", path, timeout=60) as stream:
                    for _ in stream.iter_lines():
                        opened.set()
            except httpx.HTTPError:
                return

        threads = [threading.Thread(target=listen, daemon=True) for _ in range(5)]
        for thread in threads:
            thread.start()
        assert opened.wait(20)
        asked = time.monotonic()
        server.send_signal(signal.SIGTERM)
        assert server.wait(10) == 0
        assert time.monotonic() - asked < 10
        assert server.stdout.read().strip() == "ended"
        # They are ended at once, and not cut when a time is over.
        assert "Cancel" not in server.stderr.read()
    finally:
        server.kill()
