"""The child process that reads files for `corpus.reading`: requests in, documents out.

Owns its own limits and the loop. Run as `python -m corpus.reading_child MEMORY_MB CPU_SECONDS
FILE_BYTES`; ends when standard input closes. Writes nothing but replies.
"""

import json
import os
import resource
import struct
import sys
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from corpus.errors import UnreadableFile
from corpus.loaders import load
from corpus.opening import printable, read_bytes
from corpus.transfer import document_to_json

_HEADER = struct.Struct(">I")


def main(arguments: list[str]) -> None:
    """Answer requests until there are no more."""
    memory_mb, cpu_seconds, file_bytes = map(int, arguments)
    requests, replies = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not get between the replies
    _limit(memory_mb)
    while header := requests.read(_HEADER.size):
        _allow_seconds(cpu_seconds)
        request = json.loads(requests.read(_HEADER.unpack(header)[0]))
        try:
            reply = _answer(request, file_bytes)
        except (MemoryError, RecursionError):
            reply = _refusal(
                "it is too large or too deeply nested for the memory allowed.",
                "Save it again in another format, or split it up.",
            )
            _send(replies, reply)
            return  # a fresh child is safer than one that has run out of memory
        _send(replies, reply)


def _limit(memory_mb: int) -> None:
    """Bound memory; forbid files, core dumps and many descriptors. The limits can't be lifted."""
    memory = memory_mb * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


def _allow_seconds(seconds: int) -> None:
    """Processor time for the next file: what was used so far, and so many seconds more."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    allowed = int(used.ru_utime + used.ru_stime) + seconds + 1
    resource.setrlimit(resource.RLIMIT_CPU, (allowed, resource.RLIM_INFINITY))


def _answer(request: dict[str, Any], file_bytes: int) -> dict[str, Any]:
    root, path, beside = Path(request["root"]), request["path"], request["questions"]
    try:
        data = read_bytes(root, path, file_bytes)
        questions = None
        if beside is not None:
            questions = read_bytes(root, str(PurePosixPath(path).with_name(beside)), file_bytes)
        return {"document": document_to_json(load(path, data, questions))}
    except UnreadableFile as error:
        return _refusal(error.reason, error.hint)
    except (MemoryError, RecursionError):
        raise
    # Parsers of hostile files raise anything; one file may cost only itself.
    except Exception as error:  # noqa: BLE001
        kind = printable(type(error).__name__)
        return _refusal(f"it is broken ({kind}).", "Open it, save it again and replace it.")


def _refusal(reason: str, hint: str) -> dict[str, Any]:
    return {"reason": reason, "hint": hint}


def _send(replies: BinaryIO, reply: dict[str, Any]) -> None:
    message = json.dumps(reply).encode()
    replies.write(_HEADER.pack(len(message)) + message)
    replies.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
