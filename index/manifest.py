"""What a generation says about itself: who built it, what it holds, its files' checksums.

Owns the manifest's form and the check of a folder against it. Knows nothing of
Chroma, of which generation is current or of who reads it.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from index.errors import IndexDamaged, IndexMismatch

FORMAT = 4
"""Raised whenever a generation's layout changes in a way that older readers can't read."""
MANIFEST = "MANIFEST.json"

_BLOCK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class IndexedDocument:
    """A document as it was indexed: its id, its file's digest and how many passages it has."""

    id: str
    digest: str
    passages: int


@dataclass(frozen=True, kw_only=True)
class FileSum:
    """A file's size in bytes and its SHA-256."""

    size: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Everything a reader checks before it opens a generation.

    `model`, `model_digest` and `dimension` name the embedding model, `splitter` and
    `chroma` the versions of what else shaped it. `counts` gives documents and each
    view's vectors; `documents` goes by path in the library, `files` by path in the
    generation.
    """

    generation: str
    model: str
    model_digest: str
    dimension: int
    splitter: str
    chroma: str
    counts: Mapping[str, int]
    documents: Mapping[str, IndexedDocument]
    files: Mapping[str, FileSum]
    format: int = FORMAT

    def save(self, folder: Path) -> None:
        """Write the manifest into `folder`, with its own checksum, and on to the disk."""
        body = asdict(self)
        text = json.dumps({**body, "checksum": _checksum(body)}, ensure_ascii=True, indent=1)
        path = folder / MANIFEST
        with path.open("w", encoding="ascii") as stream:
            stream.write(text + "\n")
            stream.flush()
            os.fsync(stream.fileno())

    @classmethod
    def load(cls, folder: Path) -> "Manifest":
        """Read the manifest of a generation.

        Raises `IndexDamaged` when it is missing or was changed and `IndexMismatch`
        when it has another format than this program's.
        """
        name = folder.name
        try:
            body = json.loads((folder / MANIFEST).read_text(encoding="ascii"))
            checksum = body.pop("checksum")
            if checksum != _checksum(body):
                raise IndexDamaged(f"The manifest of {name} was changed.")
            if body["format"] != FORMAT:
                raise IndexMismatch(
                    f"The index {name} has format {body['format']}, this program's is {FORMAT}."
                )
            return cls(
                **{
                    **body,
                    "documents": {k: IndexedDocument(**v) for k, v in body["documents"].items()},
                    "files": {k: FileSum(**v) for k, v in body["files"].items()},
                }
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise IndexDamaged(f"The manifest of {name} can't be read.") from error


def sums(folder: Path) -> dict[str, FileSum]:
    """Size and SHA-256 of every file of `folder` but the manifest, by relative path."""
    return {
        name: FileSum(size=path.stat().st_size, sha256=_sha256(path))
        for name, path in _files(folder)
        if name != MANIFEST
    }


def check_files(folder: Path, manifest: Manifest) -> None:
    """Compare every file with the manifest, byte by byte.

    To be done before Chroma opens anything: one changed bit can end the process.
    Raises `IndexDamaged`, naming the file. Files that the manifest doesn't list
    aren't looked at, and must not be used.
    """
    for name, expected in manifest.files.items():
        path = folder / name
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise IndexDamaged(f"The manifest of {folder.name} names a file outside it.")
        if path.is_symlink() or not path.is_file():
            raise IndexDamaged(f"The file {folder.name}/{name} is missing.")
        try:
            same = path.stat().st_size == expected.size and _sha256(path) == expected.sha256
        except OSError as error:
            raise IndexDamaged(f"The file {folder.name}/{name} can't be read.") from error
        if not same:
            raise IndexDamaged(f"The file {folder.name}/{name} was changed.")


def settle(folder: Path) -> None:
    """Make sure that every file and directory of `folder` is on the disk, not in a buffer."""
    for path in [*(path for _, path in _files(folder)), *_directories(folder)]:
        sync(path)


def sync(path: Path) -> None:
    """Bring one file or directory on to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path.relative_to(folder).as_posix(), path


def _directories(folder: Path) -> list[Path]:
    return [folder, *(path for path in sorted(folder.rglob("*")) if path.is_dir())]


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _checksum(body: Mapping[str, Any]) -> str:
    canonical = json.dumps(body, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()
