"""Vectors that were computed before, by model and text, beside the index.

Owns one SQLite file that only the builder opens. It saves time and nothing else:
a damaged file is replaced by an empty one, a damaged vector is computed again.
Knows nothing of passages or Chroma.
"""

import logging
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

import numpy as np

from corpus.documents import text_digest
from index.embeddings import Embedder, Vectors, is_unit

FILE = "embeddings.sqlite3"
_STEP = 256
_QUERY_SIZE = 500
_KEPT_BUILDS = 5
_TABLE = """
CREATE TABLE IF NOT EXISTS vectors (
    model TEXT NOT NULL, text TEXT NOT NULL, used INTEGER NOT NULL, vector BLOB NOT NULL,
    PRIMARY KEY (model, text)
) WITHOUT ROWID
"""

_log = logging.getLogger(__name__)


class VectorCache:
    """Vectors by the digests of model and text; also a context manager. Kill-safe."""

    def __init__(self, root: Path, build: int) -> None:
        """Open or make the cache of the index in `root`, for the build with this number."""
        self._build = build
        self._path = root / FILE
        try:
            self._database = self._open()
        except sqlite3.DatabaseError:
            _log.warning("The cache of embeddings was damaged and starts again, empty.")
            for path in (self._path, self._path.with_name(f"{FILE}-journal")):
                path.unlink(missing_ok=True)
            self._database = self._open()

    def __enter__(self) -> "VectorCache":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._database.close()

    def vectors(
        self, embedder: Embedder, texts: Sequence[str], done: Callable[[int, int], None]
    ) -> Vectors:
        """The vectors of `texts`, in order, as rows.

        Those not known are computed, a few hundred at a time, and kept at once, so
        that a killed build loses only the last few. `done` is told how many different
        texts of how many have their vector.
        """
        model, dimension = embedder.digest, embedder.dimension
        digests = [text_digest(text) for text in texts]
        wanted = dict(zip(digests, texts, strict=True))
        known = self._known(model, list(wanted), dimension)
        missing = sorted((d for d in wanted if d not in known), key=lambda d: len(wanted[d]))
        done(len(known), len(wanted))
        steps = [missing[start : start + _STEP] for start in range(0, len(missing), _STEP)]
        encoded = embedder.encode_each([[wanted[digest] for digest in step] for step in steps])
        for step, rows in zip(steps, encoded, strict=True):
            with self._database:
                self._database.executemany(
                    "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?)",
                    [
                        (model, digest, self._build, row.astype("<f4").tobytes())
                        for digest, row in zip(step, rows, strict=True)
                    ],
                )
            known.update(zip(step, rows, strict=True))
            done(len(known), len(wanted))
        self._touch(model, list(wanted))
        if not digests:
            return np.zeros((0, dimension), dtype=np.float32)
        return np.stack([known[digest] for digest in digests])

    def prune(self) -> None:
        """Forget what none of the last few builds used."""
        oldest = self._build - _KEPT_BUILDS
        with self._database:
            self._database.execute("DELETE FROM vectors WHERE used < ?", (oldest,))

    def _open(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._path)
        try:
            database.execute("PRAGMA quick_check")
            with database:
                database.execute(_TABLE)
        except sqlite3.DatabaseError:
            database.close()
            raise
        return database

    def _known(self, model: str, digests: list[str], dimension: int) -> dict[str, Vectors]:
        found: dict[str, Vectors] = {}
        for start in range(0, len(digests), _QUERY_SIZE):
            some = digests[start : start + _QUERY_SIZE]
            marks = ",".join("?" * len(some))
            for digest, blob in self._database.execute(
                f"SELECT text, vector FROM vectors WHERE model = ? AND text IN ({marks})",
                (model, *some),
            ):
                if len(blob) == 4 * dimension:
                    found[digest] = np.frombuffer(blob, dtype="<f4").astype(np.float32)
        if not found:
            return {}
        sound = is_unit(np.stack(list(found.values())))
        return {key: row for (key, row), ok in zip(found.items(), sound, strict=True) if ok}

    def _touch(self, model: str, digests: list[str]) -> None:
        with self._database:
            self._database.executemany(
                "UPDATE vectors SET used = ? WHERE model = ? AND text = ?",
                [(self._build, model, digest) for digest in digests],
            )
