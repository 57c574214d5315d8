"""Told to stop while answers are being written, the server tells their readers, and ends."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import httpx
from api_material import ASKED, events

from assistant.settings import Settings

pytest_plugins = ("web_fixtures", "api_fixtures")

TESTS = Path(__file__).resolve().parent

SERVER = f"""
import sys
sys.path.append({str(TESTS)!r})
from web_material import Unhurried
from assistant.composition import build_assistant
from assistant.settings import load_settings
from assistant.web.server import create_app, serve
settings = load_settings()
built = build_assistant(settings)
assistant = Unhurried(built.reader, built.embedder)
say = lambda address: print(address, flush=True)
serve(create_app(assistant, settings), "127.0.0.1", 0, say)
print("ended", flush=True)
"""


def test_readers_are_told_when_it_stops(web_settings: Settings) -> None:
    environment = {
        **os.environ,
        "RAPPORTEUR_LIBRARY": str(web_settings.library),
        "RAPPORTEUR_INDEX": str(web_settings.index),
        "RAPPORTEUR_RUNNING_ANSWERS": "3",
    }
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER],
        cwd=TESTS.parent,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    try:
        address = server.stdout.readline().strip().rstrip("/")
        begun = threading.Semaphore(0)
        streamed: list[str] = []

        def read() -> None:
            asked = {"question": f"{ASKED} slowly"}
            with httpx.stream(
                "POST", f"{address}/api/ask/stream", json=asked, timeout=60
            ) as stream:
                text = ""
                for piece in stream.iter_text():
                    if not text:
                        begun.release()
                    text += piece
                streamed.append(text)

        readers = [threading.Thread(target=read) for _ in range(3)]
        for reader in readers:
            reader.start()
        for _ in readers:
            assert begun.acquire(timeout=30)
        server.send_signal(signal.SIGTERM)
        for reader in readers:
            reader.join(30)
        said, complaints = server.communicate(timeout=30)
    finally:
        server.kill()
    assert server.returncode == 0
    assert said.strip() == "ended"
    assert "Traceback" not in complaints
    for text in streamed:
        name, told = events(text)[-1]
        assert name == "error"
        assert told["message"] == "The server is being stopped."
    assert len(streamed) == 3
