"""Gradio's routes and events: what of them is open, and what the open ones refuse."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest
from web_material import folder

pytest_plugins = ("web_fixtures",)

SECRET = "CANARY-SECRET-5150"


@pytest.fixture
def client(chat_address: str) -> httpx.Client:
    return httpx.Client(base_url=chat_address, timeout=30)


def event_of(client: httpx.Client, *, inputs: int, outputs: int) -> dict:
    """The first of the page's events with so many inputs and outputs."""
    config = client.get("/chat/config").json()
    return next(
        event
        for event in config["dependencies"]
        if len(event["inputs"]) == inputs and len(event["outputs"]) == outputs
    )


def run_event(client: httpx.Client, event: dict, data: list, session: str) -> list[dict]:
    """Join the queue as the page does, and give all that comes back."""
    body = {"data": data, "fn_index": event["id"], "session_hash": session, "event_data": None}
    joined = client.post("/chat/gradio_api/queue/join", json=body)
    assert joined.status_code == 200
    messages = []
    path = f"/chat/gradio_api/queue/data?session_hash={session}"
    with client.stream("GET", path) as stream:
        for line in stream.iter_lines():
            if line.startswith("data:"):
                messages.append(json.loads(line[5:]))
                if messages[-1]["msg"] in {"process_completed", "close_stream"}:
                    break
    return messages


@pytest.mark.parametrize(
    "path",
    [
        "upload", "upload_progress", "process_recording", "openapi.json", "proxy=http://a.example",
        "file=/etc/passwd", "file/etc/passwd", "file=http://a.example/", "call/ask", "runs",
        "deep_link", "queue/status", "dev/reload", "app_id", "user", "token",
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_unused_routes_of_gradio_are_closed(client: httpx.Client, path: str, method: str) -> None:
    answer = client.request(method, f"/chat/gradio_api/{path}")
    assert answer.status_code == 404
    assert "root:" not in answer.text


@pytest.mark.parametrize(
    "path",
    ["monitoring", "monitoring/summary", "login", "robots.txt", "manifest.json", "pwa_icon",
     "static/../../routes.py", "assets/%2e%2e/%2e%2e/routes.py", "svelte/x", "docs"],
)  # fmt: skip
def test_unused_pages_of_gradio_are_closed(client: httpx.Client, path: str) -> None:
    assert client.get(f"/chat/{path}").status_code == 404


def test_a_file_named_as_a_value_is_never_read(client: httpx.Client, tmp_path: Path) -> None:
    from gradio.utils import get_upload_folder

    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET)
    value = {
        "path": str(secret),
        "orig_name": "secret.txt",
        "meta": {"_type": "gradio.FileData"},
        "url": None,
    }
    config = client.get("/chat/config").json()
    for number, event in enumerate(config["dependencies"]):
        if not event["inputs"]:
            continue
        data = [value for _ in event["inputs"]]
        body = {"data": data, "fn_index": event["id"], "session_hash": f"file{number}"}
        if event["queue"] is False:
            answer = client.post("/chat/gradio_api/run/predict", json=body)
            assert answer.status_code == 500
            said = answer.text
        else:
            said = json.dumps(run_event(client, event, data, f"file{number}"))
            assert '"success": false' in said
        assert SECRET not in said
    uploads = Path(get_upload_folder())
    assert not any(name.endswith("secret.txt") for name in folder(uploads))


@pytest.fixture
def canary() -> Iterator[tuple[str, list[str]]]:
    """A server inside the network, and the paths that were asked of it."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(SECRET.encode())

        do_HEAD = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


def test_an_address_named_as_a_value_is_never_fetched(
    client: httpx.Client, canary: tuple[str, list[str]]
) -> None:
    address, asked = canary
    for number, event in enumerate(client.get("/chat/config").json()["dependencies"]):
        if not event["inputs"]:
            continue
        for key in ("path", "url"):
            value = {"path": "x", "meta": {"_type": "gradio.FileData"}, key: f"{address}/{number}"}
            data = [value for _ in event["inputs"]]
            if event["queue"] is False:
                body = {"data": data, "fn_index": event["id"], "session_hash": f"url{number}"}
                said = client.post("/chat/gradio_api/run/predict", json=body).text
            else:
                said = json.dumps(run_event(client, event, data, f"url{number}{key}"))
            assert SECRET not in said
    for path in (f"file={address}/a", f"proxy={address}/b", f"file/{address}/c"):
        client.get(f"/chat/gradio_api/{path}")
    assert asked == []
    assert httpx.get(address).text == SECRET


def test_no_question_gets_past_the_queue(client: httpx.Client) -> None:
    event = event_of(client, inputs=5, outputs=7)
    body = {
        "data": ["", [], [], False, "How often?"],
        "fn_index": event["id"],
        "session_hash": "past",
    }
    answer = client.post("/chat/gradio_api/run/predict", json=body)
    assert answer.status_code == 404
    assert "How often" not in answer.text


def test_what_gradio_remembers_of_a_visitor_is_forgotten(client: httpx.Client) -> None:
    import gc

    from gradio.state_holder import StateHolder

    question = "How often does the assembly of the islands meet?"
    event = event_of(client, inputs=5, outputs=7)
    messages = run_event(client, event, ["", [], [], False, question], "forgetme")
    assert "three times a year" in json.dumps(messages)
    holders = [each for each in gc.get_objects() if type(each) is StateHolder]
    assert holders
    assert all("forgetme" not in holder.session_data for holder in holders)


def test_two_who_ask_at_once_never_see_each_other(client: httpx.Client) -> None:
    event = event_of(client, inputs=5, outputs=7)
    asked = ["How often does the assembly meet?", "Who sits on the harbour tribunal?"] * 6

    def ask(number: int) -> str:
        data = ["", [], [], False, f"{asked[number]} (visitor {number})"]
        return json.dumps(run_event(client, event, data, f"visitor{number}"))

    with ThreadPoolExecutor(max_workers=12) as pool:
        answers = list(pool.map(ask, range(12)))
    for number, answer in enumerate(answers):
        others = {f"(visitor {other})" for other in range(12)} - {f"(visitor {number})"}
        assert f"(visitor {number})" in answer
        assert not any(other in answer for other in others)
