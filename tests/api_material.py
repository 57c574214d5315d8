"""A file of partners, and how to talk to the API and the widget."""

import json
import re
from pathlib import Path
from typing import Any

import httpx

from assistant.web.api_schema import ErrorOut

KEY = "a key of the tests, long enough to be one"
OPEN, ISLANDS, LIMITED = "https://open.example", "http://localhost:8123", "https://limited.example"

PARTNERS = f"""
[partners.pub_open]
origins = ["{OPEN}", "{ISLANDS}"]
title = "Ask </script><b>us</b>"
greeting = "Good day & welcome"
languages = ["en", "ar"]
mode = "visitor"
questions_per_minute = 100000
questions_per_day = 1000000

[partners.pub_harbours]
origins = ["https://harbours.example"]
documents = ["harbours.md"]
questions_per_minute = 100000
questions_per_day = 1000000

[partners.pub_limited]
origins = ["{LIMITED}"]
starters = ["Who pays for the whale oil?"]
questions_per_minute = 10
questions_per_day = 1000000

[partners.pub_gone]
origins = ["https://gone.example"]
enabled = false

[partners.pub_nowhere]
title = "Without origins"
"""

ASKED = "How often does the assembly of the islands meet?"
ANSWERED = "The assembly of the islands meets three times a year."


def frame_config(client: httpx.Client, site: str, **query: str) -> dict[str, Any]:
    """What the widget's page is told at its start."""
    page = client.get("/embed/v1/frame", params={"site": site, **query})
    assert page.status_code == 200
    found = re.search(r'id="config">(.*?)</script>', page.text, re.DOTALL)
    assert found is not None
    return json.loads(found.group(1))


def widget_headers(client: httpx.Client, site: str = "pub_open", **query: str) -> dict[str, str]:
    """The headers that a widget's page sends."""
    token = frame_config(client, site, **query)["token"]
    own = str(client.base_url).rstrip("/")
    return {"Authorization": f"Bearer {token}", "Origin": own, "Sec-Fetch-Site": "same-origin"}


def events(text: str) -> list[tuple[str, Any]]:
    """The events of a stream."""
    found = re.findall(r"event: (\w+)\ndata: (.*)\n\n", text)
    assert "".join(f"event: {name}\ndata: {data}\n\n" for name, data in found) == text
    return [(name, json.loads(data)) for name, data in found]


def read_file(path: Path) -> bytes:
    """All that a database file holds."""
    return b"".join(each.read_bytes() for each in path.parent.glob(f"{path.name}*"))


def refused(answer: httpx.Response, status: int) -> dict[str, str]:
    """The one form of an error, checked."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert "access-control-allow-origin" not in answer.headers
    body = answer.json()
    ErrorOut.model_validate(body, strict=True)
    assert body["error"]
    assert body["message"].endswith(".")
    return body
