"""The widget's routes over real HTTP: what its page may do, who may show it, what a token opens."""

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from api_material import (
    ANSWERED,
    ASKED,
    ISLANDS,
    KEY,
    LIMITED,
    OPEN,
    events,
    frame_config,
    widget_headers,
)
from web_material import passage_with

from assistant.chain import Assistant
from assistant.settings import Settings
from assistant.web.embed_files import NAMES
from assistant.web.pages import STATIC
from assistant.web.strings import strings
from assistant.web.tokens import Tokens
from index.retrieval import NO_DOCUMENT, Filters

pytest_plugins = ("web_fixtures", "api_fixtures")

Serve = Callable[..., str]


def code(answer: httpx.Response, status: int) -> str:
    """The code of an error, in its one form."""
    assert answer.status_code == status, answer.text
    assert "access-control-allow-origin" not in answer.headers
    assert set(answer.json()) == {"error", "message", "hint"}
    return answer.json()["error"]


# --- files --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_files_may_be_loaded_by_any_site(api: httpx.Client, name: str) -> None:
    body = (STATIC / name).read_bytes()
    stem, suffix = name.split(".")
    lasting = f"{stem}-{hashlib.sha256(body).hexdigest()[:12]}.{suffix}"
    for path, cache in ((name, "max-age=3600"), (lasting, "immutable")):
        answer = api.get(f"/embed/v1/{path}", headers={"Origin": OPEN})
        assert answer.content == body
        assert cache in answer.headers["cache-control"]
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in answer.headers
        tag = {"If-None-Match": answer.headers["etag"]}
        assert api.get(f"/embed/v1/{path}", headers=tag).status_code == 304


def test_files_come_packed_where_that_is_taken(api: httpx.Client) -> None:
    for taken, encoding in (("gzip", "gzip"), ("identity", None)):
        headers = {"Accept-Encoding": taken}
        with api.stream("GET", "/embed/v1/frame.js", headers=headers) as answer:
            raw = b"".join(answer.iter_raw())
            assert answer.headers.get("content-encoding") == encoding
            assert "Accept-Encoding" in answer.headers["vary"]
        unpacked = gzip.decompress(raw) if encoding else raw
        assert unpacked == (STATIC / "frame.js").read_bytes()


@pytest.mark.parametrize("name", ["frame.html", "page.css", "..%2fserver.py", "loader-0.js", "x"])
def test_no_other_file_is_there(api: httpx.Client, name: str) -> None:
    assert code(api.get(f"/embed/v1/{name}"), 404) == "not_found"


# --- the page -------------------------------------------------------------------------------


def test_the_page_may_be_shown_by_its_partner_alone(api: httpx.Client) -> None:
    headers = api.get("/embed/v1/frame?site=pub_open").headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "connect-src": "'self'",
        "img-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
        "frame-ancestors": f"{OPEN} {ISLANDS}",
    }
    assert headers["cross-origin-embedder-policy"] == "require-corp"
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert headers["permissions-policy"].startswith("camera=(), microphone=(), geolocation=()")
    assert "x-frame-options" not in headers
    assert "access-control-allow-origin" not in headers
    assert "set-cookie" not in headers


@pytest.mark.parametrize("site", ["", "pub_x", "pub_gone", "pub_nowhere", "../x", "pub_open%00"])
def test_an_unknown_site_shows_a_page_that_nobody_may_frame(api: httpx.Client, site: str) -> None:
    answer = api.get(f"/embed/v1/frame?site={site}")
    assert answer.status_code == 404
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "<h1>This assistant can&#39;t be shown</h1>" in answer.text
    assert "token" not in answer.text


def test_the_page_is_told_what_it_needs(api: httpx.Client) -> None:
    config = frame_config(api, "pub_open", lang="ar-EG", theme="dark", o=OPEN)
    assert (config["lang"], config["dir"]) == ("ar", "rtl")
    assert config["modes"] == ["quotation"]
    assert config["hostOrigin"] == OPEN
    assert config["feedback"] is True
    assert config["expiresIn"] == 900
    assert config["strings"]["question"]
    assert {"accent", "accentDark", "conversation", "token"} <= config.keys()
    other = frame_config(api, "pub_open", lang="xx", theme="pink", o="https://evil.example")
    assert (other["lang"], other["dir"]) == ("en", "ltr")
    assert other["hostOrigin"] == ""
    assert other["conversation"] != config["conversation"]


def test_the_page_stands_before_its_script_runs(api: httpx.Client) -> None:
    page = api.get("/embed/v1/frame?site=pub_open&lang=ar&theme=dark&mode=bubble&o=x&y=z").text
    assert '<html lang="ar" dir="rtl" data-theme="dark">' in page
    assert ">Ask &lt;/script&gt;&lt;b&gt;us&lt;/b&gt;</h1>" in page
    assert "<p>Good day &amp; welcome</p>" in page
    assert f'placeholder="{strings("ar")["question"]}"' in page
    there = "?site=pub_open&amp;lang=en&amp;theme=dark&amp;o=x&amp;mode=bubble"
    assert f'<a href="{there}" lang="en">English</a>' in page
    plain = api.get("/embed/v1/frame?site=pub_limited&theme=pink").text
    assert 'data-theme="auto"' in plain
    assert "<nav" not in plain
    names = re.findall(r'(?:href|src)="(frame-[^"]+)"', page)
    assert len(names) == 2
    for name in names:
        assert "immutable" in api.get(f"/embed/v1/{name}").headers["cache-control"]


def test_a_partners_words_stay_words(api: httpx.Client) -> None:
    page = api.get("/embed/v1/frame?site=pub_open").text
    inside = re.search(r'id="config">(.*?)</script>', page, re.DOTALL)
    assert inside is not None
    assert not set("<>&") & set(inside.group(1))
    assert "<b>us" not in page


def test_starters_are_the_partners_or_of_its_share(api: httpx.Client) -> None:
    assert frame_config(api, "pub_limited")["starters"] == ["Who pays for the whale oil?"]
    assert frame_config(api, "pub_open")["starters"]
    headers = widget_headers(api, "pub_harbours")
    for question in frame_config(api, "pub_harbours")["starters"]:
        answer = api.post("/embed/v1/ask", json={"question": question}, headers=headers)
        done = events(answer.text)[-1][1]
        assert done["answered"]
        assert {cited["document"]["path"] for cited in done["citations"]} == {"harbours.md"}


# --- tokens ----------------------------------------------------------------------------------


def test_a_widget_asks_and_reads(api: httpx.Client) -> None:
    headers = widget_headers(api, o=OPEN)
    answer = api.post("/embed/v1/ask", json={"question": ASKED}, headers=headers)
    assert answer.headers["content-type"].startswith("text/event-stream")
    done = events(answer.text)[-1][1]
    assert ANSWERED in done["text"]
    cited = done["citations"][0]["passage"]["id"]
    passage = api.get(f"/embed/v1/passages/{cited}", headers=headers)
    assert passage.json()["passage"]["text"] == done["citations"][0]["passage"]["text"]
    assert passage.headers["cache-control"] == "no-store"
    rated = {"id": "0123456789abcdef", "rating": "good", "generation": done["index"]["generation"]}
    assert api.post("/embed/v1/feedback", json=rated, headers=headers).status_code == 204


def _altered(token: str) -> list[str]:
    body, signature = token.split(".")
    other = json.loads(base64.urlsafe_b64decode(body + "=="))
    other[0] = "pub_limited"
    forged = base64.urlsafe_b64encode(json.dumps(other).encode()).decode().rstrip("=")
    return [
        f"{forged}.{signature}",
        f"{body}.{signature[::-1]}",
        f"{body}.",
        body,
        "x" * 5000,
        ".",
        "\u00e9",
        Tokens(["another key of no use here"]).issue("pub_open", OPEN),
    ]


@pytest.mark.parametrize("path", ["ask", "session", "feedback", "passages/x"])
def test_without_a_valid_token_there_is_nothing(api: httpx.Client, path: str) -> None:
    headers = widget_headers(api, o=OPEN)
    token = headers.pop("Authorization").removeprefix("Bearer ")

    def knock(authorization: str | None) -> httpx.Response:
        given = headers | ({"Authorization": authorization} if authorization is not None else {})
        encoded = {name: value.encode("latin-1") for name, value in given.items()}
        if path.startswith("passages"):
            return api.get(f"/embed/v1/{path}", headers=encoded)
        body = {"question": ASKED} if path == "ask" else {"id": "12345678", "rating": "good"}
        return api.post(f"/embed/v1/{path}", json=body, headers=encoded)

    for missing in (None, "", f"Basic {token}", token):
        assert code(knock(missing), 401) == "token_required"
    for wrong in _altered(token):
        assert code(knock(f"Bearer {wrong}"), 401) == "token_invalid"
    if path != "session":
        late = Tokens([KEY], lifetime=-1).issue("pub_open", OPEN)
        assert code(knock(f"Bearer {late}"), 401) == "token_expired"


@pytest.mark.parametrize(
    ("site", "origin"),
    [("pub_gone", ""), ("pub_nowhere", ""), ("pub_none", ""), ("pub_open", LIMITED)],
)
def test_a_token_ends_with_its_partner(api: httpx.Client, site: str, origin: str) -> None:
    token = Tokens([KEY]).issue(site, origin)
    headers = {"Authorization": f"Bearer {token}", "Origin": str(api.base_url).rstrip("/")}
    for path in ("ask", "session"):
        answer = api.post(f"/embed/v1/{path}", json={"question": ASKED}, headers=headers)
        assert code(answer, 403) == "closed"


def test_a_token_is_renewed_for_its_conversation(api: httpx.Client) -> None:
    headers = widget_headers(api, o=OPEN)
    before = Tokens([KEY]).read(headers["Authorization"].removeprefix("Bearer "))
    given = api.post("/embed/v1/session", headers=headers).json()
    after = Tokens([KEY]).read(given["token"])
    assert (after.site, after.origin, after.conversation) == (
        "pub_open",
        OPEN,
        given["conversation"],
    )
    assert after.conversation == before.conversation
    for lifetime, status in ((-3600, 200), (-12 * 3600 - 60, 401)):
        late = Tokens([KEY], lifetime=lifetime).issue("pub_open", OPEN)
        headers["Authorization"] = f"Bearer {late}"
        assert api.post("/embed/v1/session", headers=headers).status_code == status


def test_the_origin_of_a_bare_frame_is_the_referrers(api: httpx.Client) -> None:
    for referrer, origin in (
        (f"{OPEN}/page?x=1", OPEN),
        ("https://evil.example/", ""),
        ("https://[", ""),
    ):
        page = api.get("/embed/v1/frame?site=pub_open", headers={"Referer": referrer}).text
        token = re.search(r'"token": "([^"]+)"', page)
        assert token is not None
        assert Tokens([KEY]).read(token.group(1)).origin == origin


@pytest.mark.parametrize("origin", [OPEN, "https://evil.example", "null"])
def test_other_origins_get_nothing_even_with_a_token(api: httpx.Client, origin: str) -> None:
    headers = {"Authorization": widget_headers(api, o=OPEN)["Authorization"], "Origin": origin}
    for path in ("ask", "session", "feedback"):
        sent = {"question": ASKED}
        assert code(api.post(f"/embed/v1/{path}", json=sent, headers=headers), 403)
    assert code(api.get("/embed/v1/passages/x", headers=headers), 403)
    del headers["Origin"]
    assert code(api.post("/embed/v1/session", headers=headers), 403)


# --- what a partner set ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "question",
    [ASKED, "What does “The assembly of the islands” say about how often it meets?",
     "Compare the harbour tribunal and the assembly of the islands"],
)  # fmt: skip
def test_a_partner_shows_its_share_of_the_library(
    api: httpx.Client, assistant: Assistant, question: str
) -> None:
    headers = widget_headers(api, "pub_harbours")
    sent = {"question": question, "documents": [], "kinds": ["institution", "mechanism"]}
    answer = api.post("/embed/v1/ask", json=sent, headers=headers)
    assert "assembly.md" not in answer.text
    identity, _, _ = passage_with(assistant, "three times a year")
    assert code(api.get(f"/embed/v1/passages/{identity}", headers=headers), 404)


def test_naming_a_document_never_widens_what_is_searched() -> None:
    allowed = Filters(documents=frozenset({"harbours"}))
    assert allowed.narrowed(["assembly"]) == Filters(documents=NO_DOCUMENT)
    assert allowed.narrowed(["assembly", "harbours"]) == allowed
    assert Filters().narrowed(["assembly"]).documents == {"assembly"}


def test_changes_of_the_file_count_at_once(
    serve_with: Serve, api_settings: Settings, tmp_path: Path
) -> None:
    partners = tmp_path / "partners.toml"
    before = api_settings.partners.read_text(encoding="utf-8")
    partners.write_text(before, encoding="utf-8")
    with httpx.Client(base_url=serve_with(partners=partners), timeout=60) as client:
        headers = widget_headers(client, o=OPEN)
        partners.write_text(before.replace(OPEN, "https://moved.example"), encoding="utf-8")
        answer = client.post("/embed/v1/ask", json={"question": ASKED}, headers=headers)
        assert code(answer, 403) == "closed"
        policy = client.get("/embed/v1/frame?site=pub_open").headers["content-security-policy"]
        assert OPEN not in policy


def test_quotas_are_the_sites_and_not_the_clients_to_choose(
    serve_with: Serve, api_settings: Settings
) -> None:
    with httpx.Client(base_url=serve_with(), timeout=60) as client:
        # A window of a minute may end amid the first try; not amid the second as well.
        for _ in range(2):
            statuses = []
            for _ in range(4):  # One visitor may have a fifth of ten.
                headers = widget_headers(client, "pub_limited") | {
                    "X-Forwarded-For": "198.51.100.9"
                }
                answer = client.post("/embed/v1/ask", json={"question": ASKED}, headers=headers)
                statuses.append(answer.status_code)
            if statuses[-1] == 429:
                break
        assert code(answer, 429) == "too_many_questions"
        assert answer.headers["retry-after"].isdecimal()
        # Other sites are not concerned.
        answer = client.post(
            "/embed/v1/ask", json={"question": ASKED}, headers=widget_headers(client)
        )
        assert answer.status_code == 200


# --- many at once ------------------------------------------------------------------------------


def test_fifty_visitors_at_once_each_get_their_own_answer(serve_with: Serve) -> None:
    asked = [
        "How often does the assembly of the islands meet?",
        "Who sits on the harbour tribunal?",
        "What must lanterns on the quay burn?",
    ]
    address = serve_with()

    def visit(number: int) -> str:
        with httpx.Client(base_url=address, timeout=120) as client:
            question = f"{asked[number % 3]} (visitor {number})"
            headers = widget_headers(client, o=OPEN)
            return client.post("/embed/v1/ask", json={"question": question}, headers=headers).text

    with ThreadPoolExecutor(max_workers=50) as pool:
        streams = list(pool.map(visit, range(50)))
    # Once more, one after the other.
    alone = [events(visit(number))[-1][1]["text"] for number in range(50)]
    for number, stream in enumerate(streams):
        sent = events(stream)
        name, done = sent[-1]
        assert name == "done"
        assert "".join(data["text"] for kind, data in sent if kind == "delta") == done["text"]
        assert done["text"] == alone[number]
        assert re.findall(r"\(visitor (\d+)\)", stream) == [str(number)] * stream.count("(visitor ")
        assert f"(visitor {number})" in done["question"]
