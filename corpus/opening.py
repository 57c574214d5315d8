"""Opening a file of a library without being led out of it or held up by it.

Owns the rules of safe opening: every step of the path is opened by itself and never through a
symbolic link, only regular files are read, and never more than a given number of bytes. Knows
nothing of formats.
"""

import errno
import os
import stat
import unicodedata
from pathlib import Path, PurePosixPath

from corpus.errors import UnreadableFile

MOST_BYTES = 50 * 1024 * 1024


def printable(name: str) -> str:
    """`name` with control, invisible and direction-changing characters escaped, safe to print."""
    return "".join(
        character
        if character == " " or unicodedata.category(character)[0] not in "CZ"
        else character.encode("unicode_escape").decode("ascii")
        for character in name
    )


def read_bytes(root: Path, path: str, most: int = MOST_BYTES) -> bytes:
    """The bytes of the regular file at `path`, relative to `root`; at most `most` of them.

    Raises `UnreadableFile` for links, pipes, devices, folders, files that are too large, and
    whatever the system refuses. Never blocks on a pipe.
    """
    shown = printable(path)
    parts = PurePosixPath(path).parts
    if not parts or PurePosixPath(path).is_absolute() or ".." in parts:
        raise UnreadableFile(shown, "it lies outside the library.", "Move it into the folder.")
    try:
        descriptor = _open(root, parts)
    except OSError as error:
        raise _refused(shown, error) from error
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise UnreadableFile(shown, "it is not a regular file.", "Remove it from the library.")
        if found.st_size > most:
            raise UnreadableFile(
                shown,
                f"it is larger than {most // (1024 * 1024) or 1} MB.",
                "Split it up or remove what is not text.",
            )
        try:
            data = file.read(most + 1)
        except OSError as error:
            raise _refused(shown, error) from error
    if len(data) > most:
        raise UnreadableFile(shown, "it grew while it was read.", "Try again when it is complete.")
    return data


def _open(root: Path, parts: tuple[str, ...]) -> int:
    """Open each folder from `root` on, then the file; the root itself may be reached by a link."""
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts[:-1]:
            inner = os.open(
                part,
                os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC,
                dir_fd=folder,
            )
            os.close(folder)
            folder = inner
        return os.open(
            parts[-1],
            os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC,
            dir_fd=folder,
        )
    finally:
        os.close(folder)


def _refused(shown: str, error: OSError) -> UnreadableFile:
    if error.errno == errno.ELOOP:
        return UnreadableFile(
            shown, "it is a symbolic link.", "Put the file itself into the library."
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return UnreadableFile(shown, "it may not be read.", "Give yourself permission to read it.")
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return UnreadableFile(shown, "it is not there any more.", "Index the library again.")
    reason = os.strerror(error.errno) if error.errno else "unknown error"
    return UnreadableFile(shown, f"the system can't open it ({reason}).", "Remove or replace it.")
