"""Many visitors who stream at once against one alone: ratios of waiting times, printed.

Run by `make load`; not a test, since times depend on the machine. The server is a process
of its own, as it is in use; every visitor talks to it over HTTP, as the widget does.
"""

import argparse
import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

import httpx

QUESTIONS = (
    "How often does the assembly of the islands meet?",
    "Who sits on the harbour tribunal?",
    "What must lanterns on the quay burn?",
    "What do critics say about the assembly?",
    "When must a complaint to the harbour tribunal be filed?",
)

_SERVER = """
import sys
from assistant.composition import build_assistant
from assistant.settings import load_settings
from assistant.web.server import create_app, serve
from index.embeddings import load_embedder
from index.ingest import ingest
settings = load_settings()
ingest(settings.library, settings.index, load_embedder())
say = lambda address: print(address, flush=True)
serve(create_app(build_assistant(settings), settings), "127.0.0.1", 0, say)
"""

_PARTNER = """[partners.pub_load]
origins = ["https://load.example"]
questions_per_minute = 100000
questions_per_day = 1000000
"""


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One question: seconds to the first words and to the end, and whether it was its own."""

    first: float
    total: float
    own: bool


def main() -> int:
    """Measure and print; the exit status is 1 when an answer was not the visitor's own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visitors", type=int, nargs="+", default=[1, 8, 16, 50])
    parser.add_argument("--rounds", type=int, default=5, help="questions of each visitor")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = _start(Path(folder))
        assert server.stdout is not None
        try:
            address = server.stdout.readline().strip().rstrip("/")
            return asyncio.run(_measure(address, options.visitors, options.rounds))
        finally:
            server.terminate()
            server.wait(30)


def _start(folder: Path) -> "subprocess.Popen[str]":
    from web_material import LIBRARY

    (folder / "library").mkdir()
    for name, text in LIBRARY.items():
        (folder / "library" / name).write_text(text, encoding="utf-8")
    (folder / "partners.toml").write_text(_PARTNER, encoding="utf-8")
    environment = {
        **os.environ,
        "RAPPORTEUR_LIBRARY": str(folder / "library"),
        "RAPPORTEUR_INDEX": str(folder / "index"),
        "RAPPORTEUR_PARTNERS": str(folder / "partners.toml"),
        "RAPPORTEUR_FEEDBACK": "",
    }
    command = [sys.executable, "-c", _SERVER]
    root = Path(__file__).resolve().parent.parent
    return subprocess.Popen(command, cwd=root, env=environment, stdout=subprocess.PIPE, text=True)


async def _measure(address: str, sizes: Sequence[int], rounds: int) -> int:
    async with httpx.AsyncClient(base_url=address, timeout=120, limits=httpx.Limits()) as client:
        page = await client.get("/embed/v1/frame?site=pub_load")
        token = json.loads(re.findall(r'id="config">(.*?)</script>', page.text, re.DOTALL)[0])
        headers = {"Authorization": f"Bearer {token['token']}", "Origin": address}
        await _round(client, headers, 1, 3)  # What is loaded at the first question.
        alone = await _round(client, headers, 1, rounds * 4)
        base_first, base_total = _median(alone, "first"), _median(alone, "total")
        print(f"One visitor alone: first words {1000 * base_first:.0f} ms,", end=" ")
        print(f"whole answer {1000 * base_total:.0f} ms (medians).")
        print(f"{'visitors':>8} {'answers/s':>9}   first words (p50 p95)   whole answer (p50 p95)")
        all_own = all(visit.own for visit in alone)
        for size in sizes:
            started = time.perf_counter()
            visits = await _round(client, headers, size, rounds)
            rate = len(visits) / (time.perf_counter() - started)
            first = [_quantile(visits, "first", at) / base_first for at in (50, 95)]
            total = [_quantile(visits, "total", at) / base_total for at in (50, 95)]
            print(
                f"{size:>8} {rate:>9.1f}   {first[0]:>9.1f}x {first[1]:>7.1f}x   "
                f"{total[0]:>11.1f}x {total[1]:>7.1f}x"
            )
            all_own = all_own and all(visit.own for visit in visits)
    print("Every visitor got the answer to the own question." if all_own else "ANSWERS MIXED UP.")
    return 0 if all_own else 1


async def _round(
    client: httpx.AsyncClient, headers: dict[str, str], size: int, rounds: int
) -> list[Visit]:
    async def visitor(number: int) -> list[Visit]:
        return [await _visit(client, headers, number, time) for time in range(rounds)]

    visits = await asyncio.gather(*(visitor(number) for number in range(size)))
    return [visit for each in visits for visit in each]


async def _visit(
    client: httpx.AsyncClient, headers: dict[str, str], number: int, turn: int
) -> Visit:
    mark = f"(visitor {number}, {turn})"
    sent = {"question": f"{QUESTIONS[(number + turn) % len(QUESTIONS)]} {mark}"}
    started = time.perf_counter()
    first, text = 0.0, ""
    async with client.stream("POST", "/embed/v1/ask", json=sent, headers=headers) as stream:
        stream.raise_for_status()
        async for piece in stream.aiter_text():
            text += piece
            if not first and "event: delta" in text:
                first = time.perf_counter() - started
    total = time.perf_counter() - started
    marks = set(re.findall(r"\(visitor \d+, \d+\)", text))
    return Visit(first=first, total=total, own="event: done" in text and marks == {mark})


def _median(visits: Sequence[Visit], what: str) -> float:
    return _quantile(visits, what, 50)


def _quantile(visits: Sequence[Visit], what: str, percent: int) -> float:
    values = [getattr(visit, what) for visit in visits]
    return (
        quantiles(values, n=100, method="inclusive")[percent - 1] if len(values) > 1 else values[0]
    )


if __name__ == "__main__":
    sys.exit(main())
