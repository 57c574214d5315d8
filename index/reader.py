"""The current index, opened for searching, while new ones come and go.

Owns how a published generation is checked and opened, handed out on lease, and
closed after its last one. Never writes into the index, and never imports torch.
Knows nothing of questions or of how an index is built.
"""

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from corpus.errors import ExpectedError
from index.catalogue import Catalogue
from index.errors import ForkedProcess, IndexDamaged, IndexMismatch, IndexMissing
from index.generations import Generation, Generations
from index.lexical import Lexical
from index.manifest import Manifest
from index.scratch import Scratch
from index.store import Store, chroma_version
from index.views import VIEWS

CHROMA_FOLDER = "chroma"
LEXICAL_FOLDER = "lexical"
CATALOGUE_FILE = "documents.jsonl"

_RETRY_SECONDS = 60.0
_ATTEMPTS = 3

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class OpenIndex:
    """One generation, ready to be searched: all parts belong together."""

    generation: str
    manifest: Manifest
    catalogue: Catalogue
    store: Store
    lexical: Lexical


@dataclass(frozen=True, kw_only=True)
class IndexStatus:
    """How an index is. `available` says whether it can be searched.

    `degraded` is empty, or one sentence: why not, or why an older generation serves.
    """

    available: bool
    generation: str = ""
    degraded: str = ""
    documents: int = 0
    passages: int = 0
    sentences: int = 0
    questions: int = 0
    model: str = ""


class _Held:
    """An open generation with the number of its leases."""

    def __init__(self, opened: OpenIndex, scratch: Scratch) -> None:
        self.opened = opened
        self.scratch = scratch
        self.leases = 0
        self.retired = False

    def close(self) -> None:
        self.opened.store.close()
        self.scratch.close()


class IndexReader:
    """Hands out the newest published generation. Threads may share it; forks may not.

    Nothing is opened before the first lease. About once a second a lease looks
    whether a newer generation was published; a bad one is refused, and the one that
    is open stays.
    """

    def __init__(self, root: Path, *, model_digest: str, check_seconds: float = 1.0) -> None:
        """`root` is the index; `model_digest` that of the model that questions are embedded by."""
        self._generations = Generations(root)
        self._model_digest = model_digest
        self._check_seconds = check_seconds
        self._counting = threading.Lock()
        self._opening = threading.Lock()
        self._held: _Held | None = None
        self._degraded = ""
        self._refused = ""
        self._retry_at = 0.0
        self._look_at = 0.0
        self._process = os.getpid()

    @contextmanager
    def lease(self) -> Iterator[OpenIndex]:
        """Use one generation until the block ends; it stays open and unchanged for so long.

        Raises `IndexMissing` when there is none that is whole, `IndexMismatch` when
        it was built by another model or program, `ForkedProcess` in a forked child.
        """
        held = self._take()
        try:
            yield held.opened
        finally:
            self._give(held)

    def refresh(self) -> None:
        """Look for a newer generation now, whenever the last look was."""
        with self._opening:
            if self._held is None:
                self._open_first()
            else:
                self._retry_at = 0.0
                self._look(self._held)

    def status(self) -> IndexStatus:
        """How the index is now. Opens it if need be, and raises nothing that is expected."""
        try:
            with self.lease() as opened:
                counts = opened.manifest.counts
                return IndexStatus(
                    available=True,
                    generation=opened.generation,
                    degraded=self._degraded,
                    documents=counts["documents"],
                    passages=counts["passages"],
                    sentences=counts["sentences"],
                    questions=counts["questions"],
                    model=opened.manifest.model,
                )
        except ExpectedError as error:
            return IndexStatus(available=False, degraded=str(error))

    def close(self) -> None:
        """Close what is open, after its last lease. A later lease opens it again."""
        with self._opening:
            self._swap(None)

    def _take(self) -> _Held:
        if os.getpid() != self._process:
            raise ForkedProcess("The index")
        while True:
            self._refresh_if_due()
            with self._counting:
                # Another thread may have closed the reader since.
                if self._held is not None:
                    self._held.leases += 1
                    return self._held

    def _give(self, held: _Held) -> None:
        with self._counting:
            held.leases -= 1
            last = held.retired and held.leases == 0
        if last:
            held.close()

    def _refresh_if_due(self) -> None:
        if self._held is None:
            with self._opening:
                if self._held is None:
                    self._open_first()
        elif time.monotonic() >= self._look_at and self._opening.acquire(blocking=False):
            # One thread looks and opens; the others go on with what is open.
            try:
                if self._held is not None:
                    self._look(self._held)
            finally:
                self._opening.release()

    def _open_first(self) -> None:
        for attempt in range(_ATTEMPTS):
            before = self._generations.names()
            try:
                for candidate in self._generations.candidates():
                    try:
                        held = self._open(candidate)
                    except IndexDamaged as error:
                        _log.warning("%s was refused: %s", candidate.path.name, error)
                        continue
                    self._swap(held)
                    self._degraded = candidate.degraded
                    self._look_at = time.monotonic() + self._check_seconds
                    return
            except IndexMissing:
                # A builder may have replaced them all since they were listed.
                if attempt + 1 == _ATTEMPTS or self._generations.names() == before:
                    raise

    def _look(self, held: _Held) -> None:
        now = time.monotonic()
        self._look_at = now + self._check_seconds
        try:
            name = self._generations.pointer()
            if name == held.opened.generation:
                self._degraded = ""
                return
            if name == self._refused and now < self._retry_at:
                return
            self._refused, self._retry_at = name, now + _RETRY_SECONDS
            self._swap(self._open(self._generations.check(name)))
            self._degraded = ""
        except ExpectedError as error:
            self._degraded = f"{error.message} {held.opened.generation} is used instead."
            _log.warning("%s", self._degraded)

    def _open(self, generation: Generation) -> _Held:
        manifest, path = generation.manifest, generation.path
        self._check_builder(manifest)
        prefix = f"{CHROMA_FOLDER}/"
        files = [name.removeprefix(prefix) for name in manifest.files if name.startswith(prefix)]
        catalogue = Catalogue.load(path / CATALOGUE_FILE)
        lexical = Lexical.load(path / LEXICAL_FOLDER)
        if lexical.passage_ids != tuple(catalogue.passages):
            raise IndexDamaged(f"The parts of {manifest.generation} don't belong together.")
        scratch = Scratch(path / CHROMA_FOLDER, files)
        try:
            store = Store.open(scratch.folder)
        except ExpectedError:
            scratch.close()
            raise
        opened = OpenIndex(
            generation=manifest.generation,
            manifest=manifest,
            catalogue=catalogue,
            store=store,
            lexical=lexical,
        )
        held = _Held(opened, scratch)
        if any(store.count(view) != manifest.counts[view] for view in VIEWS):
            held.close()
            raise IndexDamaged(f"{manifest.generation} doesn't hold what its manifest says.")
        store.warm(manifest.dimension)
        return held

    def _check_builder(self, manifest: Manifest) -> None:
        if manifest.model_digest != self._model_digest:
            raise IndexMismatch(
                f"The index {manifest.generation} was built with another embedding model"
                f" ({manifest.model})."
            )
        if not same_chroma(manifest.chroma):
            raise IndexMismatch(
                f"The index {manifest.generation} was built with Chroma {manifest.chroma},"
                f" and {chroma_version()} is installed."
            )

    def _swap(self, following: _Held | None) -> None:
        with self._counting:
            former, self._held = self._held, following
            if former is not None:
                former.retired = True
            unused = former is not None and former.leases == 0
        if former is not None and unused:
            former.close()


def same_chroma(version: str) -> bool:
    """Whether an index that this Chroma version wrote can be read by the installed one."""
    return version.split(".")[:2] == chroma_version().split(".")[:2]
