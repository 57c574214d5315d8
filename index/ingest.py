"""Make the index equal the library.

Owns the comparison of the two and the report of what it came to. A document whose
file didn't change is neither read nor split nor embedded again. Knows nothing of
formats, nor of how an index lies on the disk.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from corpus.documents import Document
from corpus.errors import LibraryError, UnreadableFile
from corpus.library import SourceFile, file_digest, survey
from corpus.reading import Reader
from corpus.splitting import SPLITTER_VERSION, split
from index.building import Builder, OnStep, Progress
from index.catalogue import Catalogue, Entry
from index.embeddings import Embedder
from index.errors import IndexDamaged, IndexMismatch, IndexMissing
from index.generations import Generation, Generations, number
from index.reader import CATALOGUE_FILE, same_chroma


@dataclass(frozen=True, kw_only=True)
class IngestReport:
    """What became of each file, by path in the library, and what the index holds now.

    `failed` files aren't searched, not even by an earlier text of theirs.
    `published` is false when nothing had changed and `generation` was left as it is.
    """

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: tuple[str, ...]
    failed: tuple[UnreadableFile, ...]
    passages: int
    sentences: int
    generation: str
    published: bool


@dataclass(kw_only=True)
class _Comparison:
    """The library as it was read, against the generation before."""

    entries: list[Entry] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    failed: list[UnreadableFile] = field(default_factory=list)


def ingest(
    library: Path,
    index: Path,
    embedder: Embedder,
    progress: Progress = lambda stage, done, total: None,
    *,
    on_step: OnStep = lambda step: None,
) -> IngestReport:
    """Read the folder `library` and publish a generation of `index` that equals it.

    A kill at any moment leaves the earlier generation answering, and the next call
    finishes the work, without embedding again what was embedded. `progress` is told
    the stage, how much is done and of how much; `on_step` each step as it begins.

    Raises `LibraryError` when there is nothing to read, `IndexBusy` when another
    process builds this index, `IndexUnwritable` and `IndexDamaged` when the new
    generation can't be written or doesn't pass its check; the earlier one stays.
    """
    generations = Generations(index)
    with generations.building():
        on_step("read")
        base = _base(generations)
        found = _compare(library, base, progress)
        if not found.entries:
            raise _nothing(library, found.failed)
        builder = Builder(
            generations=generations,
            embedder=embedder,
            splitter=SPLITTER_VERSION,
            progress=progress,
            on_step=on_step,
        )
        if base is not None and _is_equal(found, base.generation, embedder):
            name = base.generation.manifest.generation
            # The build that published it may have been killed before it had tidied.
            builder.tidy(number(name))
            return _report(found, name, published=False)
        manifest = builder.publish(Catalogue(found.entries))
        return _report(found, manifest.generation, published=True)


@dataclass(frozen=True, kw_only=True)
class _Base:
    """The generation to start from, with the texts it holds."""

    generation: Generation
    catalogue: Catalogue


def _base(generations: Generations) -> _Base | None:
    """The newest generation that is whole and of this format, if there is one."""
    try:
        newest = generations.newest()
        return _Base(generation=newest, catalogue=Catalogue.load(newest.path / CATALOGUE_FILE))
    except (IndexMissing, IndexMismatch, IndexDamaged):
        # Whatever is wrong with it, the answer is the one asked for: a new generation.
        return None


def _compare(library: Path, base: _Base | None, progress: Progress) -> _Comparison:
    found = _Comparison()
    there = survey(library)
    failed = list(there.unreadable)
    with Reader() as reader:
        for done, source in enumerate(there.files):
            progress("reading", done, len(there.files))
            try:
                _compare_one(source, lambda source: reader.read(source, library), base, found)
            except UnreadableFile as error:
                failed.append(error)
    progress("reading", len(there.files), len(there.files))
    before = base.generation.manifest.documents if base else {}
    found.failed += [_unsearched(error) if error.path in before else error for error in failed]
    named = {source.path for source in there.files} | {error.path for error in failed}
    found.removed += [path for path in before if path not in named]
    return found


def _compare_one(
    source: SourceFile,
    read: Callable[[SourceFile], Document],
    base: _Base | None,
    found: _Comparison,
) -> None:
    """Put one file's document with its passages into `found`; raises `UnreadableFile`."""
    digest = file_digest(source)
    before = base.generation.manifest.documents.get(source.path) if base else None
    same = before is not None and before.digest == digest
    if base is not None and before is not None and same and _same_splitter(base.generation):
        document = base.catalogue.documents[before.id]
        entry = (document, base.catalogue.passages_of(document.id))
    else:
        document = read(source)
        entry = (document, split(document))
    if not entry[1]:
        raise UnreadableFile(source.path, "there is no text in it")
    found.entries.append(entry)
    if before is None:
        found.added.append(source.path)
    elif same:
        found.unchanged.append(source.path)
    else:
        found.changed.append(source.path)


def _unsearched(error: UnreadableFile) -> UnreadableFile:
    said = f"{error.hint} The text it had before is no longer searched.".strip()
    return UnreadableFile(error.path, error.reason, said)


def _same_splitter(generation: Generation) -> bool:
    return generation.manifest.splitter == SPLITTER_VERSION


def _is_equal(found: _Comparison, generation: Generation, embedder: Embedder) -> bool:
    """Whether `generation` is current, sound, and what a build would give now."""
    manifest = generation.manifest
    return (
        not generation.degraded
        and not (found.added or found.changed or found.removed)
        and len(found.entries) == len(manifest.documents)
        and _same_splitter(generation)
        and manifest.model_digest == embedder.digest
        and same_chroma(manifest.chroma)
    )


def _nothing(library: Path, failed: list[UnreadableFile]) -> LibraryError:
    if failed:
        return LibraryError(
            f"None of the {len(failed)} files in {library} can be read; the first: {failed[0]}",
            "The index is left as it was.",
        )
    return LibraryError(
        f"There is nothing to read in {library}.",
        "Name the folder with your documents with --library; the index is left as it was.",
    )


def _report(found: _Comparison, generation: str, *, published: bool) -> IngestReport:
    passages = [passage for _, its_passages in found.entries for passage in its_passages]
    return IngestReport(
        added=tuple(found.added),
        changed=tuple(found.changed),
        removed=tuple(found.removed),
        unchanged=tuple(found.unchanged),
        failed=tuple(found.failed),
        passages=len(passages),
        sentences=sum(len(passage.sentences) for passage in passages),
        generation=generation,
        published=published,
    )
