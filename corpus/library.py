"""The folder of source files: which files are documents, and which can't be.

Owns the walk and its order, what is passed over, and the digest of a file. Opens nothing but
folders, except for the digest; knows nothing of what a format holds.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from corpus.errors import LibraryError, UnreadableFile
from corpus.loaders import SUFFIXES, content_digest
from corpus.opening import MOST_BYTES, printable, read_bytes

QUESTIONS_SUFFIX = ".questions.toml"
_DEEPEST = 32


@dataclass(frozen=True, kw_only=True)
class SourceFile:
    """A file of the library that a loader exists for.

    `path` is relative to the library with forward slashes; `questions` is the file of
    anticipated questions beside it, if there is one.
    """

    path: str
    absolute: Path
    questions: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What a library holds, each in stable order.

    `ignored` pairs a printable path with the reason: such files were never meant to be read.
    """

    files: tuple[SourceFile, ...]
    unreadable: tuple[UnreadableFile, ...]
    ignored: tuple[tuple[str, str], ...]


def survey(root: Path) -> Survey:
    """Walk `root` and sort its files. Raises `LibraryError` where it is no readable folder.

    Hidden files and folders, README files, question files and unknown suffixes are ignored.
    Symbolic links, pipes, sockets, devices and names that can't be shown are unreadable; no
    link is followed, whether to a file or to a folder.
    """
    if not root.is_dir():
        raise LibraryError(
            f"There is no folder {printable(str(root))}.", "Name the folder that holds the files."
        )
    files: list[SourceFile] = []
    unreadable: list[UnreadableFile] = []
    ignored: list[tuple[str, str]] = []
    for path, mode in sorted(_walk(root, "", unreadable, 0)):
        passed_over = _passed_over(path, mode)
        problem = _problem(path, mode) if not passed_over else None
        if passed_over:
            ignored.append((printable(path), passed_over))
        elif problem:
            unreadable.append(problem)
        else:
            files.append(_source(root, path))
    unreadable.sort(key=lambda failed: failed.path)
    return Survey(files=tuple(files), unreadable=tuple(unreadable), ignored=tuple(ignored))


def scan(root: Path) -> list[SourceFile]:
    """The files of the library that a loader exists for, in stable order (see `survey`)."""
    return list(survey(root).files)


def file_digest(source: SourceFile) -> str:
    """SHA-256 of a file's bytes and of its question file's; that of its `Document`.

    Raises `UnreadableFile` as reading the file would.
    """
    root = root_of(source)
    data = read_bytes(root, source.path, MOST_BYTES)
    return content_digest(data, read_questions(root, source))


def read_questions(root: Path, source: SourceFile) -> bytes | None:
    """The bytes of a source's question file, `None` where it has none."""
    if source.questions is None:
        return None
    beside = str(PurePosixPath(source.path).with_name(source.questions.name))
    return read_bytes(root, beside, MOST_BYTES)


def root_of(source: SourceFile) -> Path:
    """The library that a source was found in."""
    return source.absolute.parents[len(PurePosixPath(source.path).parts) - 1]


def _walk(
    root: Path, folder: str, unreadable: list[UnreadableFile], depth: int
) -> Iterator[tuple[str, int]]:
    shown = printable(folder) or "."
    if depth > _DEEPEST:
        unreadable.append(UnreadableFile(shown, "it lies too deep.", "Move it further up."))
        return
    try:
        entries = sorted(os.scandir(root / folder), key=lambda entry: entry.name)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else "unknown error"
        unreadable.append(UnreadableFile(shown, f"can't be listed ({reason}).", "Mend its rights."))
        return
    for entry in entries:
        path = f"{folder}/{entry.name}" if folder else entry.name
        if entry.is_dir(follow_symlinks=False):
            if not entry.name.startswith("."):
                yield from _walk(root, path, unreadable, depth + 1)
            continue
        try:
            yield path, entry.stat(follow_symlinks=False).st_mode
        except OSError:  # gone since it was listed
            continue


def _passed_over(path: str, mode: int) -> str:
    name = PurePosixPath(path).name
    if name.startswith(".") or name.endswith("~"):
        return "hidden"
    if name.endswith(QUESTIONS_SUFFIX):
        return "anticipated questions"
    if name.upper().startswith("README"):
        return "a README describes the folder"
    if stat.S_ISREG(mode) and PurePosixPath(path).suffix.lower() not in SUFFIXES:
        return "no loader for this kind of file"
    return ""


def _problem(path: str, mode: int) -> UnreadableFile | None:
    shown = printable(path)
    if stat.S_ISLNK(mode):
        return UnreadableFile(
            shown, "it is a symbolic link.", "Put the file itself into the library."
        )
    if shown != path:
        return UnreadableFile(shown, "its name holds characters that can't be shown.", "Rename it.")
    if not stat.S_ISREG(mode):
        return UnreadableFile(shown, "it is not a regular file.", "Remove it from the library.")
    return None


def _source(root: Path, path: str) -> SourceFile:
    absolute = root / path
    beside = absolute.with_suffix(QUESTIONS_SUFFIX)
    present = os.path.lexists(beside)
    return SourceFile(path=path, absolute=absolute, questions=beside if present else None)
