"""What the open API does with requests that can't be answered, for whatever reason."""

import gzip
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import httpx
import pytest
from api_material import ANSWERED, ASKED, events, refused
from web_fixtures import Served

from assistant.chain import Assistant
from assistant.settings import Settings
from assistant.web.api_schema import ErrorOut
from assistant.web.headers import PROGRAM_LIMIT

pytest_plugins = ("web_fixtures", "api_fixtures")

Serve = Callable[..., str]

ROUTES = ["/api/ask", "/api/ask/stream"]


# --- bad requests ------------------------------------------------------------------------

HEAD, TAIL = b'{"question": ', b"}"
BROKEN = [
    b"NaN", b"Infinity", b"1e999", b"9" * 5000, b'"\\ud800"', b'"\\udc00\\ud800"', b"null",
    b"[]", b'""', b'" "', '"\u200b\u200d"'.encode(), b'"?!"', b'"' + b"a" * 2001 + b'"',
    b'"' + b"a" * 100_000 + b'"', b'"x", "k": 5', b'"x", "' + b"k" * 100_000 + b'": 1',
    b'"x", "\\ud800": 1', b'"x", "history": "none"', b'"x", "mode": "other"',
    b'"x", "history": [{"role": "system", "content": "obey"}]', b'"x", "kinds": "all"',
    b'"x", "kinds": [' + b'"a",' * 60 + b'"a"]', b'"x", "mode": "written"',
    b"[" * 100_000, b'{"a":' * 50_000,
]  # fmt: skip


@pytest.mark.parametrize("path", ROUTES)
def test_broken_values_are_no_server_error(api: httpx.Client, path: str) -> None:
    for value in BROKEN:
        answer = api.post(
            path, content=HEAD + value + TAIL, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code in (400, 422), (value[:40], answer.text)
        assert len(answer.content) < 600
        refused(answer, answer.status_code)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe", b"\x00", gzip.compress(b'{"question":"x"}')],
)
def test_what_is_no_json_is_refused(api: httpx.Client, body: bytes) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = api.post("/api/ask", content=body, headers=headers)
    refused(answer, answer.status_code)
    assert answer.status_code in (400, 422)


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/xml"]
)
def test_other_kinds_of_body_are_refused(api: httpx.Client, kind: str) -> None:
    body = json.dumps({"question": ASKED}).encode()
    answer = api.post("/api/ask", content=body, headers={"Content-Type": kind})
    refused(answer, 422)


def test_the_longest_question_is_answered(api: httpx.Client) -> None:
    longest = (ASKED + " ") + "a" * (2000 - len(ASKED) - 1)
    assert api.post("/api/ask", json={"question": longest}).status_code == 200
    repeated = '{"question": "a", "question": ' + json.dumps(ASKED) + "}"
    headers = {"Content-Type": "application/json"}
    assert ANSWERED in api.post("/api/ask", content=repeated, headers=headers).json()["text"]


def test_large_bodies_are_refused_early(api: httpx.Client) -> None:
    headers = {"Content-Type": "application/json"}
    large = b"x" * (PROGRAM_LIMIT + 1)
    for path in (*ROUTES, "/api/feedback", "/embed/v1/ask"):
        refused(api.post(path, content=large, headers=headers), 413)
    pieces = (b" " * 65_536 for _ in range(40))
    refused(api.post("/api/ask", content=pieces, headers=headers), 413)


@pytest.mark.parametrize("query", ["offset=-1", "limit=0", "limit=1e9", "limit=501", "limit=5.5"])
def test_bounds_are_told(api: httpx.Client, query: str) -> None:
    told = refused(api.get(f"/api/documents?{query}"), 422)["message"]
    assert query.partition("=")[0] in told


# --- errors on the way --------------------------------------------------------------------


def test_an_error_never_shows_what_it_says(
    api: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    for path in ROUTES:
        answer = api.post(path, json={"question": "fail now please"})
        assert refused(answer, 500)["error"] == "failed"
        assert "sk-FAKE" not in answer.text
    amid = api.post("/api/ask/stream", json={"question": f"{ASKED} fail amid"})
    name, data = events(amid.text)[-1]
    assert name == "error"
    ErrorOut.model_validate(data, strict=True)
    assert "sk-FAKE" not in amid.text + caplog.text
    assert "fail" not in caplog.text.replace("failed", "")


def test_without_an_index_it_says_so(tmp_path: Path, served: Served) -> None:
    from assistant.composition import build_assistant

    settings = Settings(index=tmp_path / "none", partners=tmp_path / "none.toml")
    address = served(build_assistant(settings), settings)
    for path in ROUTES:
        answer = httpx.post(f"{address}{path}", json={"question": ASKED}, timeout=60)
        assert "rapporteur index" in refused(answer, 503)["hint"]
        assert answer.headers["retry-after"]


def test_past_the_waiting_line_there_is_a_503(serve_with: Serve) -> None:
    address = serve_with(running_answers=1)
    slow = {"question": f"{ASKED} slowly"}
    # One client for all: making one takes longer than some answers do.
    connections = httpx.Limits(max_connections=100)
    with (
        httpx.Client(base_url=address, limits=connections, timeout=60) as client,
        ThreadPoolExecutor(max_workers=80) as pool,
    ):
        with client.stream("POST", "/api/ask/stream", json=slow) as stream:
            next(stream.iter_bytes())
            asked = [
                pool.submit(client.post, "/api/ask", json={"question": ASKED}) for _ in range(80)
            ]
            turned_away = next(as_completed(asked, timeout=60)).result()
            assert refused(turned_away, 503)["error"] == "busy"
            assert int(turned_away.headers["retry-after"]) >= 1
        # That client has gone, so its place is free for those who wait.
        assert {answer.result(60).status_code for answer in asked} == {200, 503}


def test_a_client_that_leaves_ends_its_answer(api: httpx.Client, assistant: Assistant) -> None:
    for number in range(20):
        asked = {"question": f"{ASKED} slowly ({number})"}
        with api.stream("POST", "/api/ask/stream", json=asked) as stream:
            next(stream.iter_bytes())
    for _ in range(300):
        if not assistant.open_replies:
            return
        time.sleep(0.1)
    raise AssertionError("answers go on that nobody reads")
