"""Making the index equal the library before it is used, and telling of it.

Owns when a command has to index first and how the outcome is told. Knows nothing
of how indexing is done.
"""

import hashlib
import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from assistant.settings import Settings
from assistant.terminal import Screen
from corpus.errors import UnreadableFile
from corpus.library import SourceFile, file_digest, scan
from corpus.splitting import SPLITTER_VERSION
from index.embeddings import load_embedder
from index.errors import IndexBusy, IndexMismatch, IndexMissing, IndexUnwritable
from index.generations import Generations
from index.ingest import IngestReport, ingest
from index.manifest import Manifest
from index.reader import same_chroma

FAILED = "failed.json"
"""In the folder of the index: the files that the last run could not read."""


@dataclass(frozen=True, kw_only=True)
class Failed:
    """A file that could not be read, with the digest it had then (empty: it has none)."""

    path: str
    digest: str
    reason: str
    hint: str


@dataclass(frozen=True, kw_only=True)
class Difference:
    """How the library differs from an index of it: paths, and what else makes it outdated.

    `reason` is empty, or says why all of it has to be built anew. A file that could not be
    read and is still the same is no difference.
    """

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    reason: str = ""

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed or self.reason)

    def __str__(self) -> str:
        parts = (("added", self.added), ("changed", self.changed), ("removed", self.removed))
        counts = [f"{len(paths)} {name}" for name, paths in parts if paths]
        return ", ".join([*counts, self.reason] if self.reason else counts)


def difference(settings: Settings, manifest: Manifest) -> Difference:
    """Compare the library with a generation's manifest, by the digests of the files.

    Raises `LibraryError` when the library can't be used.
    """
    indexed = {path: document.digest for path, document in manifest.documents.items()}
    failed = {one.path: one.digest for one in failed_before(settings.index)}
    held = {source.path: _digest(source) for source in scan(settings.library)}
    reason = ""
    if manifest.splitter != SPLITTER_VERSION:
        reason = "documents are split differently by now"
    elif manifest.model != settings.embedding_model:
        reason = f"built with the embedding model {manifest.model}"
    elif not same_chroma(manifest.chroma):
        reason = f"built with Chroma {manifest.chroma}"
    return Difference(
        added=tuple(
            path
            for path, digest in held.items()
            if path not in indexed and failed.get(path) != digest
        ),
        changed=tuple(path for path in held if indexed.get(path, held[path]) != held[path]),
        removed=tuple(path for path in indexed if path not in held),
        reason=reason,
    )


def failed_before(index: Path) -> tuple[Failed, ...]:
    """The files that the last run could not read; none where that is not known."""
    try:
        noted = json.loads((index / FAILED).read_text(encoding="utf-8"))
        return tuple(Failed(**one) for one in noted)
    except (OSError, ValueError, TypeError):
        # Only a note to spare a second try: without it they are tried again.
        return ()


def update(settings: Settings, screen: Screen) -> IngestReport:
    """Make the index equal the library, with a progress bar."""
    scan(settings.library)  # A library that can't be used is told before a model is loaded.
    embedder = load_embedder(settings.embedding_model)
    with screen.progress() as progress:
        report = ingest(settings.library, settings.index, embedder, progress)
    _note_failed(settings, report)
    return report


def make_ready(settings: Settings, screen: Screen) -> None:
    """Index where there is no index or it differs from the library, else do nothing.

    Where another process is indexing, or the index can't be written, the index there is
    goes on being used, and the screen says so.
    """
    try:
        manifest = Generations(settings.index).newest().manifest
    except (IndexMissing, IndexMismatch):
        manifest = None
    if manifest and not difference(settings, manifest):
        return
    try:
        report = update(settings, screen)
    except (IndexBusy, IndexUnwritable) as error:
        if manifest is None:
            raise
        screen.warning(f"{error.message} The earlier index is used.", error.hint)
        return
    screen.line(", ".join(f"{count} {name}" for name, count in counts(report).items()))
    tell_failed(report, screen)


def _digest(source: SourceFile) -> str:
    try:
        return file_digest(source)
    except UnreadableFile:
        return ""


def _note_failed(settings: Settings, report: IngestReport) -> None:
    sources = {source.path: source for source in scan(settings.library)}
    noted = [
        Failed(
            path=failed.path,
            digest=_digest(sources[failed.path]) if failed.path in sources else "",
            reason=failed.reason,
            hint=failed.hint,
        )
        for failed in report.failed
    ]
    text = json.dumps([asdict(one) for one in noted], indent=1)
    staged = settings.index / f"{FAILED}.new"
    staged.write_text(text, encoding="utf-8")
    staged.replace(settings.index / FAILED)


def own_index(library: Path, index: Path) -> Path:
    """Where the index of an evaluated library lies, inside the folder of the usual one.

    It stays, so that the next run embeds only what changed.
    """
    named = hashlib.sha256(str(library.resolve()).encode()).hexdigest()[:12]
    return index / "evaluated" / named


def without_questions(settings: Settings) -> Settings:
    """Settings for a copy of the library that has no question files, in an index of its own.

    Raises `LibraryError` when the library can't be used.
    """
    folder = own_index(settings.library, settings.index).with_suffix(".bare")
    texts = folder / "texts"
    shutil.rmtree(texts, ignore_errors=True)
    for source in scan(settings.library):
        copy = texts / source.path
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source.absolute, copy)
    return settings.model_copy(update={"library": texts, "index": folder / "index"})


def counts(report: IngestReport) -> dict[str, int]:
    """What became of the files, and what the index holds now."""
    return {
        "added": len(report.added),
        "changed": len(report.changed),
        "removed": len(report.removed),
        "unchanged": len(report.unchanged),
        "failed": len(report.failed),
        "passages": report.passages,
        "sentences": report.sentences,
    }


def tell_failed(report: IngestReport, screen: Screen) -> None:
    """Each file that could not be read, why, and what to do."""
    for failed in report.failed:
        screen.warning(f"{failed.path} was left out: {failed.reason}", failed.hint)
