"""The generations of an index: immutable directories, and which one is current.

Owns their names and order, the lock of the one builder, the pointer `CURRENT` and
how it is replaced. A generation is built under a name that no reader takes
(`gen-000007.3f9a.tmp`), and is published by two renames; a kill at any moment leaves
the earlier one current. Knows files only, nothing of what they hold.
"""

import errno
import fcntl
import logging
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from index.errors import IndexBusy, IndexDamaged, IndexMismatch, IndexMissing, IndexUnwritable
from index.manifest import Manifest, check_files, settle, sync

CURRENT = "CURRENT"
LOCK = ".lock"
KEPT = 2
"""How many of the newest generations stay: the current one, and one for its readers' last."""

_NAME = re.compile(r"gen-(\d{6,12})")
_LEFTOVER = re.compile(r"(gen-\d{6,12}(\.[0-9a-f]+)?|CURRENT)\.tmp")
_SMALLEST_SPACE = 64 << 20

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Generation:
    """A generation that was checked against its manifest, file by file.

    `degraded` is empty when it is the one that `CURRENT` names, else one sentence
    that says what is wrong with that one.
    """

    path: Path
    manifest: Manifest
    degraded: str = ""


class Generations:
    """The directory of an index. Reading never writes into it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def names(self) -> list[str]:
        """The names of the complete generations, newest first: by number, never by time."""
        try:
            found = [entry.name for entry in os.scandir(self.root) if _is_generation(entry)]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise IndexMissing(
                f"The index {self.root} can't be read ({error.strerror})."
            ) from error
        return sorted(found, key=number, reverse=True)

    def pointer(self) -> str:
        """The name that `CURRENT` holds. Raises `IndexDamaged` when it holds no such name."""
        try:
            descriptor = os.open(self.root / CURRENT, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError as error:
            raise IndexDamaged(f"The index has no file {CURRENT}.") from error
        except OSError as error:
            raise IndexDamaged(f"The file {CURRENT} can't be read ({error.strerror}).") from error
        try:
            text = os.read(descriptor, 100).decode("ascii", "replace").strip()
        except OSError as error:
            raise IndexDamaged(f"The file {CURRENT} can't be read ({error.strerror}).") from error
        finally:
            os.close(descriptor)
        if not _NAME.fullmatch(text):
            raise IndexDamaged(f"The file {CURRENT} names no generation.")
        return text

    def check(self, name: str) -> Generation:
        """Check one generation against its manifest, file by file.

        Raises `IndexDamaged` with what is wrong, or `IndexMismatch` when another
        format's program wrote it.
        """
        path = self.root / name
        if path.is_symlink() or not path.is_dir():
            raise IndexDamaged(f"There is no generation {name}.")
        manifest = Manifest.load(path)
        if manifest.generation != name:
            raise IndexDamaged(f"The manifest of {name} is that of another generation.")
        check_files(path, manifest)
        return Generation(path=path, manifest=manifest)

    def candidates(self) -> Iterator[Generation]:
        """The generations that are whole: the current one first, then from the newest down.

        Raises `IndexMissing` when there are no more, and `IndexMismatch` when the
        current one is of another format: an older index is no substitute then.
        """
        try:
            pointed = self.pointer()
        except IndexDamaged as error:
            pointed, problem = "", error.message
        else:
            try:
                yield self.check(pointed)
                problem = f"{pointed} can't be opened."
            except IndexDamaged as error:
                problem = error.message
        names = self.names()
        for name in names:
            if name == pointed:
                continue
            try:
                sound = self.check(name)
            except (IndexDamaged, IndexMismatch):
                continue
            said = f"{problem} {name} is used instead."
            yield Generation(path=sound.path, manifest=sound.manifest, degraded=said)
        if names:
            raise IndexMissing(f"No generation of the index in {self.root} is whole: {problem}")
        raise IndexMissing(f"There is no index in {self.root}.")

    def newest(self) -> Generation:
        """The first of `candidates`; raises as it does."""
        return next(self.candidates())

    @contextmanager
    def building(self) -> Iterator[None]:
        """Be the one builder: held until the block ends, freed even by a kill.

        Makes the directory, and removes what a killed builder left. Raises
        `IndexBusy` at once when there is another builder, `IndexUnwritable` when
        the directory can't be written.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.root / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise unwritable(self.root, error) from error
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise IndexBusy(
                    f"Another process is building the index in {self.root}.",
                    "Wait until it is done, then try again.",
                ) from error
            self._remove_leftovers()
            yield
        finally:
            os.close(descriptor)

    def begin(self) -> Path:
        """Where to build the next generation, a path that doesn't exist yet. For the builder.

        Raises `IndexUnwritable` when there is too little space for it.
        """
        names = self.names()
        last = self.root / names[0] if names else None
        needed = max(_SMALLEST_SPACE, 3 * _size(last) if last else 0)
        free = shutil.disk_usage(self.root).free
        if free < needed:
            raise IndexUnwritable(
                f"The index needs {needed >> 20} MB of free space in {self.root};"
                f" there are {free >> 20} MB.",
                "Free some space, or choose another place with --index.",
            )
        following = number(names[0]) + 1 if names else 1
        # Never the same path twice: the check that a killed builder started may still run.
        return self.root / f"gen-{following:06d}.{secrets.token_hex(4)}.tmp"

    def complete(self, built: Path) -> str:
        """Give a built, described and checked generation its name, which is returned."""
        name = built_name(built)
        settle(built)
        built.rename(self.root / name)
        sync(self.root)
        return name

    def stage(self, name: str) -> Path:
        """Write the new pointer beside the old one."""
        staged = self.root / f"{CURRENT}.tmp"
        with staged.open("w", encoding="ascii") as stream:
            stream.write(name + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        return staged

    def publish(self, staged: Path) -> None:
        """Make the staged pointer the current one, in one step."""
        os.replace(staged, self.root / CURRENT)
        sync(self.root)

    def prune(self) -> None:
        """Remove all but the newest generations and the current one, and leftovers.

        For the builder.
        """
        try:
            pointed = self.pointer()
        except IndexDamaged:
            pointed = ""
        for name in self.names()[KEPT:]:
            if name == pointed:
                continue
            # Under a name no reader takes, lest one finds it half removed.
            doomed = self.root / f"{name}.tmp"
            (self.root / name).rename(doomed)
        # Again: the check that a killed builder started may have outlived it by a moment.
        self._remove_leftovers()

    def _remove_leftovers(self) -> None:
        for entry in list(os.scandir(self.root)):
            if not _LEFTOVER.fullmatch(entry.name):
                continue
            if entry.is_dir(follow_symlinks=False):
                _remove(Path(entry.path))
            else:
                os.unlink(entry.path)


def built_name(built: Path) -> str:
    """The name that the generation built in the path that `begin` gave is to have."""
    return built.name.partition(".")[0]


def number(name: str) -> int:
    """The number in a generation's name."""
    found = _NAME.fullmatch(name)
    if found is None:
        raise ValueError(f"{name!r} names no generation")
    return int(found.group(1))


def unwritable(root: Path, error: OSError) -> IndexUnwritable:
    """What a failed write into the index means to its user."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return IndexUnwritable(
            f"There is no space left for the index in {root}.",
            "Free some space, or choose another place with --index; the earlier index is unharmed.",
        )
    return IndexUnwritable(
        f"The index in {root} can't be written ({error.strerror or type(error).__name__}).",
        "Make the folder writable, or choose another with --index.",
    )


def _is_generation(entry: "os.DirEntry[str]") -> bool:
    return bool(_NAME.fullmatch(entry.name)) and entry.is_dir(follow_symlinks=False)


def _remove(folder: Path) -> None:
    """Remove a folder; what something still writes into is left to the next builder."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        _log.warning("%s could not be removed yet.", folder)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
