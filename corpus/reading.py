"""Reading one file in a child process that may crash, hang or run out of memory by itself.

Owns the limits, the life of the child (`corpus.reading_child`) and the parent's end of the
messages between them: a length in four bytes, then JSON. The parent never parses a source
itself, and never forks itself: it may hold libraries that do not survive a fork.
"""

import atexit
import contextlib
import json
import os
import select
import struct
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from corpus.documents import Document
from corpus.errors import UnreadableFile
from corpus.library import SourceFile
from corpus.opening import MOST_BYTES, printable
from corpus.transfer import document_from_json

_HEADER = struct.Struct(">I")
_LARGEST_REPLY = 512 * 1024 * 1024
_AT_ONCE = 1.0
"""Seconds."""
_FILES_A_CHILD = 200
"""A child is replaced after so many files, so that what its libraries leak stays small."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one file may cost: wall-clock and processor seconds, memory in MB, bytes of the file."""

    seconds: float = 60.0
    cpu_seconds: int = 45
    memory_mb: int = 1536
    file_bytes: int = MOST_BYTES


class _ChildEnded(Exception):
    """The child closed its end before it answered."""


class _ChildLate(Exception):
    """The child did not answer in time."""


class Reader:
    """Reads documents one after another in one child, which is replaced when it dies or hangs.

    May be used by several threads, which take turns. `close` ends the child.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._served = 0

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End the child, if there is one. The reader can still be used afterwards."""
        with self._lock:
            self._end()

    @property
    def child_id(self) -> int | None:
        """The process id of the child that runs, `None` where there is none."""
        return self._child.pid if self._child else None

    def read(self, source: SourceFile, root: Path) -> Document:
        """The document in `source`; `UnreadableFile`, whatever the file does to the child."""
        request = {
            "root": os.fspath(root.absolute()),
            "path": source.path,
            "questions": source.questions.name if source.questions else None,
        }
        shown = printable(source.path)
        with self._lock:
            fresh, began = self._child is None, time.monotonic()
            try:
                try:
                    reply = self._exchange(request)
                except _ChildEnded:
                    # A child that ended at once may have been dead before this file came.
                    if fresh or time.monotonic() - began > _AT_ONCE:
                        raise
                    reply = self._exchange(request)
            except _ChildEnded as error:
                raise UnreadableFile(
                    shown,
                    "reading it ended the reader: it needs too much memory or is broken.",
                    "Save it again in another format, or split it up.",
                ) from error
            except _ChildLate as error:
                raise UnreadableFile(
                    shown,
                    f"reading it took longer than {self._limits.seconds:g} seconds.",
                    "Save it again in another format, or split it up.",
                ) from error
        try:
            if "document" in reply:
                return document_from_json(reply["document"])
            raise UnreadableFile(shown, str(reply["reason"]), str(reply["hint"]))
        except (ValueError, KeyError) as error:  # only a child that a file took over says this
            raise UnreadableFile(
                shown, "the reader gave no sound answer.", "Remove it from the library."
            ) from error

    def _exchange(self, request: dict[str, str | None]) -> dict[str, object]:
        if self._served >= _FILES_A_CHILD:
            self._end()
        child = self._child = self._child or self._start()
        deadline = time.monotonic() + self._limits.seconds
        assert child.stdin and child.stdout
        try:
            message = json.dumps(request).encode()
            child.stdin.write(_HEADER.pack(len(message)) + message)
            child.stdin.flush()
            (size,) = _HEADER.unpack(_receive(child.stdout.fileno(), _HEADER.size, deadline))
            if size > _LARGEST_REPLY:
                raise _ChildEnded
            reply: dict[str, object] = json.loads(_receive(child.stdout.fileno(), size, deadline))
        except (BrokenPipeError, ValueError, _ChildEnded) as error:
            self._end()
            raise _ChildEnded from error
        except _ChildLate:
            self._end()
            raise
        self._served += 1
        return reply

    def _start(self) -> subprocess.Popen[bytes]:
        limits = self._limits
        package = Path(__file__).resolve().parent.parent
        return subprocess.Popen(
            [
                sys.executable,
                "-X",
                "utf8",
                "-m",
                "corpus.reading_child",
                str(limits.memory_mb),
                str(limits.cpu_seconds),
                str(limits.file_bytes),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # Nothing of the parent's environment: a hostile file shall find no key there.
            env={"PATH": os.defpath, "PYTHONPATH": str(package), "OMP_NUM_THREADS": "1"},
            close_fds=True,
            start_new_session=True,
        )

    def _end(self) -> None:
        child, self._child, self._served = self._child, None, 0
        if child is None:
            return
        child.kill()
        for stream in (child.stdin, child.stdout):
            if stream:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        child.wait()


def read_document(source: SourceFile, root: Path) -> Document:
    """The document in `source`, read in a child process that is shared by all calls.

    Raises `UnreadableFile` with what to do, for anything that is wrong with the file; a hostile
    one can neither hang nor end the caller. The limits are those of `Limits`.
    """
    return _shared_reader().read(source, root)


@cache
def _shared_reader() -> Reader:
    reader = Reader()
    atexit.register(reader.close)
    return reader


def _receive(descriptor: int, size: int, deadline: float) -> bytes:
    parts: list[bytes] = []
    missing = size
    while missing:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([descriptor], [], [], left)[0]:
            raise _ChildLate
        part = os.read(descriptor, min(missing, 1 << 20))
        if not part:
            raise _ChildEnded
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)
