"""Sites of partners beside the assistant, what they embed, and ways to use it."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlencode

from playwright.sync_api import FrameLocator, Page, expect
from web_material import Unhurried

from assistant.answers import Difference, DoneEvent, Event, Mode, Reply, Statement, Turn
from index.retrieval import Filters

PARTNERS = """
[partners.pub_islands]
origins = ["{allowed}"]
title = "Islands assistant"
greeting = "Ask about the islands."
starters = ["How often does the assembly of the islands meet?", "Who sits on the tribunal?"]
languages = ["en", "fr", "es", "ar", "ru", "zh"]
questions_per_minute = 5000
questions_per_day = 50000

[partners.pub_harbour]
origins = ["{allowed}"]
kinds = ["mechanism"]
mode = "visitor"
accent = "#7a2e0e"
questions_per_minute = 5000
questions_per_day = 50000

[partners.pub_small]
origins = ["{allowed}"]
questions_per_minute = 1
questions_per_day = 50000
"""

STARS = """---
title: نجوم الميناء
kind: article
language: en
published: "2019-07"
---

## Names

🌟🌟🌟 The harbour pilots call the brightest star of autumn Lantern. 🌟

They steer by it.
"""


class Site:
    """A web site with the pages that a test gives it."""

    def __init__(self) -> None:
        self._pages: dict[str, tuple[bytes, Mapping[str, str]]] = {}
        pages = self._pages

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body, headers = pages.get(self.path, (b"<!doctype html><title>-</title>", {}))
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.origin = f"http://127.0.0.1:{self._server.server_address[1]}"

    def page(self, html: str, headers: Mapping[str, str] = MappingProxyType({})) -> str:
        """Serve a page; gives its address."""
        path = f"/{len(self._pages)}.html"
        self._pages[path] = (html.encode(), headers)
        return self.origin + path

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()


class Drafting(Unhurried):
    """Stands in for one with a chat model: its written answers hold what no source says."""

    @property
    def modes(self) -> tuple[Mode, ...]:
        return ("written", "quotation")

    def ask(
        self,
        question: str,
        turns: Sequence[Turn] = (),
        filters: Filters = Filters(),  # noqa: B008
        *,
        mode: Mode | None = None,
    ) -> Reply:
        reply = super().ask(question, turns, filters, mode="quotation")
        return reply if mode == "quotation" else Reply(self._drafted(reply))

    def _drafted(self, reply: Reply) -> Iterator[Event]:
        for event in reply:
            if not isinstance(event, DoneEvent) or not event.answer.citations:
                yield event
                continue
            answer = event.answer
            first = answer.statements[0]
            claim = "It is the best of all tribunals."
            doubted = Statement(text=claim, citations=(1,), supported=False, support=0.1)
            yield DoneEvent(
                answer=replace(
                    answer,
                    mode="written",
                    text=f"{first.text} [1]\n\n{claim} [1]",
                    statements=(first, doubted),
                    citations=answer.citations[:1],
                    differences=(Difference(about="number of judges", citations=(1,)),),
                )
            )


@dataclass(frozen=True, kw_only=True)
class Neighbourhood:
    """The assistant, a partner's site, and one that is nobody's partner."""

    assistant: str
    partner: Site
    other: Site
    ratings: Path

    def frame(self, site: str = "pub_islands", **query: str) -> str:
        """The address of the widget's own page."""
        return f"{self.assistant}/embed/v1/frame?" + urlencode({"site": site, **query})

    def widget(
        self, attributes: str = 'site="pub_islands"', *, lang: str = "en", before: str = ""
    ) -> str:
        """A page with the widget as a partner would write it."""
        return (
            f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width"><title>A page</title>'
            f'<script src="{self.assistant}/embed/v1/loader.js" defer></script></head>'
            f"<body><main><h1>A page of ours</h1><p>Some words.</p>{before}"
            f"<rapporteur-chat {attributes}></rapporteur-chat></main></body></html>"
        )

    @property
    def strict(self) -> dict[str, str]:
        """The headers of a page that allows no more than the widget needs."""
        return {
            "Content-Security-Policy": f"default-src 'none'; script-src {self.assistant}; "
            f"frame-src {self.assistant}; require-trusted-types-for 'script'; trusted-types 'none'"
        }


def frame_of(page: Page) -> FrameLocator:
    """The inside of the widget on a partner's page."""
    return page.frame_locator("rapporteur-chat iframe")


def opened(page: Page) -> FrameLocator:
    """Press the button, and wait for the chat."""
    page.get_by_role("button", name="Ask a question").click()
    frame = frame_of(page)
    expect(frame.get_by_role("heading", level=1)).to_be_visible()
    return frame


def ask(frame: FrameLocator | Page, question: str) -> None:
    """Ask, and wait for the answer or for what came instead."""
    articles = frame.locator("article")
    before = articles.count()
    # Until its script is there, nothing can be sent.
    expect(frame.locator("#send")).to_be_enabled()
    frame.get_by_label("Your question").fill(question)
    frame.get_by_label("Your question").press("Enter")
    expect(articles).to_have_count(before + 1)
    expect(frame.locator("article .actions").last).to_be_visible()
