"""A small library with a hostile document in it, and ways to ask about it and the page."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from assistant.answers import DeltaEvent, Event, Mode, Reply, Turn
from assistant.chain import Assistant
from index.retrieval import Filters

HOSTILE_TITLE = '"><img src=x onerror=alert(1)> Lanterns'

LIBRARY = {
    "assembly.md": """---
title: The assembly of the islands
kind: institution
url: https://islands.example/assembly
publisher: Islands Press
published: "2021-05-04"
notices:
  - kind: retold
    text: "Retold in the project's own words."
---

The assembly of the islands is the parliament of forty-seven islands.

## How often it meets

The assembly of the islands meets three times a year. Each session of the assembly lasts four weeks.

Each session of the assembly has these parts:

- the reading of petitions;
- the debate on the budget;
- the vote on new members.

## What critics say

Critics of the assembly say that its decisions are rarely enforced. Its budget grew by a
tenth in 2019.
""",
    "harbours.md": """---
title: The harbour tribunal
kind: mechanism
---

## What it does

The harbour tribunal decides disputes between boat owners and harbour masters. A complaint
to the harbour tribunal must be filed within sixty days.

## Who sits on it

Seven judges sit on the harbour tribunal. The judges of the tribunal serve for six years.
""",
    "lanterns.md": f"""---
title: {HOSTILE_TITLE!r}
kind: article
url: "javascript:alert(1)"
notices:
  - kind: ai-generated
    text: "This article declares itself AI-generated."
---

## Care of lanterns

Lanterns on the quay must burn \\!\\[x\\](http://evil.example/x.png) whale oil, see
www.evil.example and http://evil.example/z. The lantern keeper trims every wick at dusk.
""",
}


class Unhurried(Assistant):
    """Answers as ever, but takes its time when a question says "slowly"; can fail on demand.

    `open_replies` are those that were begun and have not come to an end.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.open_replies: set[object] = set()

    def ask(
        self,
        question: str,
        turns: Sequence[Turn] = (),
        filters: Filters = Filters(),  # noqa: B008
        *,
        mode: Mode | None = None,
    ) -> Reply:
        reply = super().ask(question, turns, filters, mode=mode)
        return Reply(self._paced(reply, question))

    def _paced(self, reply: Reply, question: str) -> Iterator[Event]:
        if "fail now" in question:
            raise RuntimeError(f"sk-FAKE-SECRET-123 {question}")
        mine = object()
        self.open_replies.add(mine)
        try:
            for event in reply:
                yield event
                if "fail amid" in question:
                    raise RuntimeError(f"sk-FAKE-SECRET-123 {question}")
                if "slowly" in question and isinstance(event, DeltaEvent):
                    for _ in range(100):
                        yield DeltaEvent(text="")
                        time.sleep(0.1)
        finally:
            self.open_replies.discard(mine)


def passage_with(assistant: Assistant, words: str) -> tuple[str, int, int]:
    """The id of the passage that holds `words`, and where in it they stand."""
    for passage in assistant.catalogue().passages.values():
        start = passage.text.find(words)
        if start >= 0:
            return passage.id, start, start + len(words)
    raise AssertionError(f"no passage holds {words!r}")


def folder(path: Path) -> set[str]:
    """The names of all files below a folder."""
    return {str(file.relative_to(path)) for file in path.rglob("*") if file.is_file()}


@dataclass
class Visit:
    """An open page with all that it asked for and complained of."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
