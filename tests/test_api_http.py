"""The open API over real HTTP: what it gives, whom it lets in, what it does with bad requests."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from api_material import ANSWERED, ASKED, events, read_file, refused, widget_headers
from web_material import HOSTILE_TITLE, passage_with

from assistant.chain import Assistant
from assistant.settings import Settings
from assistant.web.api_schema import (
    AnswerOut,
    DocumentsOut,
    HealthOut,
    WholeDocument,
    WholePassage,
)
from assistant.web.errors import CODES

pytest_plugins = ("web_fixtures", "api_fixtures")

Serve = Callable[..., str]

ROUTES = ["/api/ask", "/api/ask/stream"]


# --- answers -----------------------------------------------------------------------------


def test_a_question_is_answered_as_json(api: httpx.Client) -> None:
    answer = api.post("/api/ask", json={"question": ASKED})
    assert answer.status_code == 200
    body = answer.json()
    AnswerOut.model_validate(body, strict=True)
    assert ANSWERED in body["text"]
    cited = body["citations"][0]
    document = api.get(f"/api/documents/{cited['document']['id']}").json()
    assert document["text"][cited["start"] : cited["end"]] == cited["quote"]
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("question", ["What is a quasar?", "Hello!", "Tell me about whale oil"])
def test_every_kind_of_answer_is_as_described(api: httpx.Client, question: str) -> None:
    body = api.post("/api/ask", json={"question": question}).json()
    AnswerOut.model_validate(body, strict=True)


def test_the_same_answer_comes_as_a_stream(api: httpx.Client) -> None:
    whole = api.post("/api/ask", json={"question": ASKED}).json()
    answer = api.post("/api/ask/stream", json={"question": ASKED})
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-accel-buffering"] == "no"
    assert "content-encoding" not in answer.headers
    sent = events(answer.text)
    names = [name for name, _ in sent]
    assert names[0] == "evidence"
    assert names[-1] == "done"
    assert set(names[1:-1]) == {"delta"}
    done = sent[-1][1]
    assert "".join(data["text"] for name, data in sent if name == "delta") == done["text"]
    assert {**done, "timings_ms": {}} == {**whole, "timings_ms": {}}
    assert sent[0][1]["evidence"] == done["evidence"]


def test_earlier_messages_steer_and_filters_narrow(api: httpx.Client) -> None:
    history = [
        {"role": "user", "content": "Who sits on the harbour tribunal?"},
        {"role": "assistant", "content": "Seven judges sit on the harbour tribunal. [1]"},
    ]
    body = api.post(
        "/api/ask", json={"question": "How long do they serve?", "history": history}
    ).json()
    assert "six years" in body["text"]
    for narrowed in ({"kinds": ["mechanism"]}, {"documents": ["nothing-000000"]}):
        body = api.post("/api/ask", json={"question": ASKED, **narrowed}).json()
        assert not body["answered"]


def test_awkward_characters_stay_on_one_line(api: httpx.Client) -> None:
    asked = "assembly\u2028of\u0085the data: [DONE]\r\n\r\nevent: done\x0bislands, how often?"
    sent = events(api.post("/api/ask/stream", json={"question": asked}).text)
    assert [name for name, _ in sent].count("done") == 1
    answer = api.post("/api/ask/stream", json={"question": "Tell me about lanterns"})
    assert answer.content.isascii()
    titles = [each["title"] for each in events(answer.text)[0][1]["evidence"]]
    assert HOSTILE_TITLE in titles


# --- the library -------------------------------------------------------------------------


def test_documents_are_listed_and_read(api: httpx.Client) -> None:
    listed = api.get("/api/documents").json()
    DocumentsOut.model_validate(listed, strict=True)
    assert listed["total"] == 3
    assert [each["title"] for each in api.get("/api/documents?q=ASSEMBLY").json()["documents"]] == [
        "The assembly of the islands"
    ]
    assert api.get("/api/documents?kind=mechanism").json()["total"] == 1
    one = api.get("/api/documents?offset=1&limit=1").json()
    assert one == {"total": 3, "documents": [listed["documents"][1]]}
    for each in listed["documents"]:
        document = api.get(f"/api/documents/{each['id']}").json()
        WholeDocument.model_validate(document, strict=True)
        for part in document["parts"]:
            assert document["text"][part["start"] : part["end"]] == part["text"]


def test_a_passage_knows_its_neighbours(api: httpx.Client, assistant: Assistant) -> None:
    identity, _, _ = passage_with(assistant, "Seven judges")
    passage = api.get(f"/api/passages/{identity}").json()
    WholePassage.model_validate(passage, strict=True)
    assert passage["document"]["path"] == "harbours.md"
    before = api.get(f"/api/passages/{passage['previous']}").json()
    assert before["next"] == identity
    assert api.get(passage["permalink"]).status_code == 200


@pytest.mark.parametrize("path", ["documents/none", "passages/none", "passages/%00", "x", ""])
def test_what_is_not_there_is_told(api: httpx.Client, path: str) -> None:
    refused(api.get(f"/api/{path}", headers={"Accept": "text/html"}), 404)


def test_health_names_a_broken_file_of_partners(
    serve_with: Serve, api_settings: Settings, tmp_path: Path
) -> None:
    partners = tmp_path / "partners.toml"
    partners.write_bytes(api_settings.partners.read_bytes())
    address = serve_with(partners=partners)
    health = httpx.get(f"{address}/healthz").json()
    HealthOut.model_validate(health, strict=True)
    assert health["partners"] == ""
    partners.write_text("[partners")
    assert "last good" in httpx.get(f"{address}/healthz").json()["partners"]
    assert httpx.get(f"{address}/embed/v1/frame?site=pub_open").status_code == 200


# --- who gets in -------------------------------------------------------------------------


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1", "//", ""])
def test_other_origins_get_nothing(api: httpx.Client, origin: str) -> None:
    headers = {"Origin": origin}
    for path in (*ROUTES, "/api/feedback"):
        refused(api.post(path, json={"question": ASKED}, headers=headers), 403)
    for path in ("/api/documents", "/api/passages/none", "/api/documents/none"):
        refused(api.get(path, headers=headers), 403)
    refused(api.options("/api/ask", headers=headers), 405)


def test_the_own_origin_is_let_in(api: httpx.Client, api_address: str) -> None:
    answer = api.post("/api/ask", json={"question": ASKED}, headers={"Origin": api_address})
    assert answer.status_code == 200


def test_a_widgets_token_narrows_the_api(api: httpx.Client, assistant: Assistant) -> None:
    headers = widget_headers(api, "pub_harbours")
    assert api.get("/api/documents", headers=headers).json()["total"] == 1
    body = api.post("/api/ask", json={"question": ASKED}, headers=headers).json()
    assert not body["answered"]
    identity, _, _ = passage_with(assistant, "whale oil")
    refused(api.get(f"/api/passages/{identity}", headers=headers), 404)
    headers["Authorization"] += "x"
    refused(api.get("/api/documents", headers=headers), 401)


def test_too_many_questions_are_refused_for_a_while(serve_with: Serve) -> None:
    address = serve_with(api_per_minute=3)
    with httpx.Client(base_url=address, timeout=60) as client:
        # A window of a minute may end amid the first try; not amid the second as well.
        for _ in range(2):
            answers = [
                client.post("/api/ask", json={"question": ASKED}, headers={
                    "X-Forwarded-For": f"203.0.{number}.9", "X-Real-IP": f"203.0.{number}.9",
                    "Forwarded": f"for=203.0.{number}.9",
                })
                for number in range(4)
            ]  # fmt: skip
            last = answers[-1]
            if last.status_code == 429:
                break
        assert refused(last, 429)["error"] == "too_many_questions"
        assert 1 <= int(last.headers["retry-after"]) <= 60
        joined = {"data": [], "fn_index": 0, "session_hash": "abc"}
        chat = client.post("/chat/gradio_api/queue/join", json=joined)
        assert chat.status_code == 429
        assert "Try again in" in chat.json()["detail"]
        # Reading costs nothing.
        assert client.get("/api/documents").status_code == 200
        assert client.get("/chat/config").status_code == 200


def test_a_trusted_proxy_is_believed(serve_with: Serve) -> None:
    proxies = Settings(trusted_proxies="127.0.0.1/32").trusted_proxies  # type: ignore[arg-type]
    address = serve_with(api_per_minute=2, trusted_proxies=proxies)

    def ask(forwarded: str) -> int:
        headers = {"X-Forwarded-For": forwarded}
        return httpx.post(
            f"{address}/api/ask", json={"question": ASKED}, headers=headers, timeout=60
        ).status_code

    assert [ask(f"198.51.{number}.1, 203.0.113.7") for number in range(5)].count(429) >= 1
    assert ask("203.0.113.7, 198.51.100.20") == 200


def test_an_operator_may_close_it(serve_with: Serve) -> None:
    address = serve_with(api_per_minute=0)
    with httpx.Client(base_url=address, timeout=60) as client:
        refused(client.post("/api/ask", json={"question": ASKED}), 403)
        refused(client.get("/api/documents"), 403)
        headers = widget_headers(client)
        answer = client.post("/embed/v1/ask", json={"question": ASKED}, headers=headers)
        assert events(answer.text)[-1][0] == "done"


# --- ratings -------------------------------------------------------------------------------


def test_a_rating_is_kept_and_holds_nothing_else(
    api: httpx.Client, api_settings: Settings, assistant: Assistant
) -> None:
    import sqlite3

    document = next(iter(assistant.catalogue().documents))
    sent = {"id": "rating-of-a-test", "rating": "good", "documents": [document, "made-up"]}
    assert api.post("/api/feedback", json=sent).status_code == 204
    sent |= {"rating": "poor", "reason": "wrong", "comment": " c" * 4000, "generation": "gen-1"}
    assert api.post("/api/feedback", json=sent).status_code == 204
    path = Path(api_settings.feedback.removeprefix("sqlite:///"))
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT * FROM ratings WHERE id = 'rating-of-a-test'").fetchall()
    today = datetime.now(UTC).date().isoformat()
    (row,) = rows
    assert row[:5] == ("", "rating-of-a-test", today, "poor", "wrong")
    assert len(row[5]) == 500
    assert row[6:] == ("gen-1", json.dumps([document]))
    assert b"127.0.0.1" not in read_file(path)
    assert ASKED.encode() not in read_file(path)


@pytest.mark.parametrize(
    "changed", [{"id": "short"}, {"id": "a b c d e f g"}, {"rating": "great"}, {"question": "x"}]
)
def test_other_ratings_are_refused(api: httpx.Client, changed: dict[str, str]) -> None:
    refused(api.post("/api/feedback", json={"id": "12345678", "rating": "good", **changed}), 422)


def test_without_a_database_there_are_no_ratings(serve_with: Serve, tmp_path: Path) -> None:
    sent = {"id": "12345678", "rating": "good"}
    refused(httpx.post(f"{serve_with(feedback='')}/api/feedback", json=sent), 404)
    unwritable = serve_with(feedback=f"sqlite:///{tmp_path / 'no' / 'such' / 'folder.db'}")
    refused(httpx.post(f"{unwritable}/api/feedback", json=sent), 503)


def test_old_comments_are_dropped(tmp_path: Path) -> None:
    import sqlite3

    from assistant.web.api_schema import FeedbackRequest
    from assistant.web.feedback import Feedback

    path = tmp_path / "feedback.db"
    for number in range(2):
        kept = Feedback(f"sqlite:///{path}")
        sent = FeedbackRequest(id=f"number-{number}", rating="poor", comment="words")
        kept.keep(sent, "pub_a", frozenset())
        kept.close()
        with sqlite3.connect(path) as connection:
            rows = connection.execute("SELECT comment FROM ratings ORDER BY id").fetchall()
            connection.execute("UPDATE ratings SET day = '2001-01-01'")
    assert rows == [("",), ("words",)]


# --- the description -----------------------------------------------------------------------


def test_the_description_names_every_route_and_error(api: httpx.Client) -> None:
    described = api.get("/api/openapi.json").json()
    assert set(described["paths"]) == {
        "/api/ask", "/api/ask/stream", "/api/feedback", "/api/documents",
        "/api/documents/{document_id}", "/api/passages/{passage_id}", "/healthz",
    }  # fmt: skip
    text = json.dumps(described)
    assert '"type": "null"' not in text
    assert "HTTPValidationError" not in text
    for path in ROUTES:
        assert set(described["paths"][path]["post"]["responses"]) == {
            "200", *(str(status) for status in CODES if status not in (404, 405, 500)),
        }  # fmt: skip


def test_the_page_of_the_description_is_served_from_here(api: httpx.Client) -> None:
    page = api.get("/api/docs")
    assert "://" not in page.text
    policy = page.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    for name in ("swagger-ui.css", "swagger-ui-bundle.js", "start.js"):
        assert f"/api/docs/{name}" in page.text
        assert api.get(f"/api/docs/{name}").status_code == 200
    refused(api.get("/api/docs/index.html"), 404)
    refused(api.get("/api/docs/..%2f__init__.py"), 404)
