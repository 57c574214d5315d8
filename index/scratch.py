"""A reader's own view of a generation's Chroma folder.

Chroma writes to its database whenever it opens a folder, and many readers may use
one generation. So each opens a temporary folder: the database copied, the graphs,
which are never written again, linked. The generation itself stays untouched, and
may even be read-only. Owns those folders and their removal, those of killed
processes included. Knows nothing of what is in the files.
"""

import fcntl
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterable
from pathlib import Path

from index.errors import IndexUnwritable
from index.store import DATABASE, SETTLED

_PREFIX = "rapporteur-index-"
_LOCK = ".lock"


class Scratch:
    """A temporary folder that looks like `source` and may be written to.

    `folder` is to be opened; `close` removes it, as does the end of the process.
    """

    def __init__(self, source: Path, names: Iterable[str]) -> None:
        """Takes the folder and the files of it, by relative path, that are to be seen.

        Raises `IndexUnwritable` when the temporary folder can't be written.
        """
        place = Path(tempfile.gettempdir())
        _sweep(place)
        try:
            root = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))
            self._close = weakref.finalize(self, _remove, root, _lock(root), os.getpid())
            self.folder = root / source.name
            _fill(self.folder, source, sorted(names))
        except OSError as error:
            raise IndexUnwritable(
                f"The temporary folder {place} can't be used ({error.strerror}).",
                "Free some space there, or set TMPDIR to another folder.",
            ) from error

    def close(self) -> None:
        """Remove the folder. A second call does nothing."""
        self._close()


def _fill(folder: Path, source: Path, names: list[str]) -> None:
    settled = {Path(name).parent for name in names if Path(name).name == SETTLED}
    for name in names:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.name == DATABASE or target.parent.relative_to(folder) not in settled:
            # Without mode: the copy of a read-only file must be writable.
            shutil.copyfile(source / name, target)
        else:
            target.symlink_to((source / name).resolve())


def _lock(root: Path) -> int:
    """Hold the folder's lock, which is how others see that its process lives."""
    fresh = root / f"{_LOCK}.tmp"
    descriptor = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    # Renamed once it is held, so that nobody ever sees it free before.
    fresh.rename(root / _LOCK)
    return descriptor


def _remove(root: Path, descriptor: int, process: int) -> None:
    # A forked child ends too, and must leave its parent's folder alone.
    if os.getpid() == process:
        shutil.rmtree(root, ignore_errors=True)
        os.close(descriptor)


def _sweep(place: Path) -> None:
    """Remove the folders of processes that were killed."""
    for left in place.glob(f"{_PREFIX}*"):
        try:
            descriptor = os.open(left / _LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            continue  # another user's, or being made at this moment
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)
        except BlockingIOError:
            continue  # in use
        finally:
            os.close(descriptor)
