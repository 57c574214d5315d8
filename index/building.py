"""Documents in, a published generation out.

Owns the steps of a build and their order: embed, write, check in another process,
describe, name, publish, tidy. Knows nothing of the library's files, nor of which
documents changed.
"""

import logging
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from corpus.documents import Document, Passage
from index.catalogue import Catalogue
from index.embeddings import Embedder, Vectors
from index.errors import IndexUnwritable
from index.generations import Generations, built_name, number, unwritable
from index.lexical import Lexical
from index.manifest import IndexedDocument, Manifest, sums
from index.reader import CATALOGUE_FILE, CHROMA_FOLDER, LEXICAL_FOLDER
from index.store import build, chroma_version
from index.vector_cache import VectorCache
from index.verification import verify
from index.views import VIEWS, Row, View, question_key, sentence_key

Progress = Callable[[str, int, int], None]
"""Told the stage (reading, embedding, writing, verifying), how much is done, and of how much."""
OnStep = Callable[[str], None]
"""Told each step as it begins; a test ends the process in it."""

STEPS = ("embed", "write", "words", "catalogue", "verify", "manifest", "rename", "stage", "publish",
         "prune")  # fmt: skip

_Text = tuple[Row, str]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Builder:
    """What a build is made with. `splitter` is the version of what cut the passages."""

    generations: Generations
    embedder: Embedder
    splitter: str
    progress: Progress
    on_step: OnStep

    def publish(self, catalogue: Catalogue) -> Manifest:
        """Build the next generation from `catalogue` and make it the current one.

        Only within `generations.building()`. Whatever fails, the earlier generation
        stays current and the half-built one is removed. Raises `IndexUnwritable` when
        the disk is full or not writable, `IndexDamaged` when the check fails.
        """
        root = self.generations.root
        try:
            folder = self.generations.begin()
            try:
                manifest = self._build(folder, catalogue)
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
            self.tidy(number(manifest.generation))
        except OSError as error:
            raise unwritable(root, error) from error
        except sqlite3.OperationalError as error:
            raise IndexUnwritable(
                f"The index in {root} can't be written ({error}).",
                "Check that there is space and that the folder is writable.",
            ) from error
        return manifest

    def _build(self, folder: Path, catalogue: Catalogue) -> Manifest:
        name = built_name(folder)
        texts = embedded_texts(catalogue)
        self.on_step("embed")
        vectors = self._embed(texts, number(name))
        self.on_step("write")
        folder.mkdir()
        self._write(folder, texts, vectors)
        self.on_step("words")
        Lexical.build(lexical_texts(catalogue)).save(folder / LEXICAL_FOLDER)
        self.on_step("catalogue")
        catalogue.save(folder / CATALOGUE_FILE)
        self.on_step("verify")
        self.progress("verifying", 0, 1)
        verify(folder)
        self.progress("verifying", 1, 1)
        self.on_step("manifest")
        manifest = self._describe(folder, name, catalogue, texts)
        manifest.save(folder)
        self.on_step("rename")
        self.generations.complete(folder)
        self.on_step("stage")
        staged = self.generations.stage(name)
        self.on_step("publish")
        self.generations.publish(staged)
        self.on_step("prune")
        return manifest

    def _embed(self, texts: dict[View, list[_Text]], build_number: int) -> dict[View, Vectors]:
        words = [text for view in VIEWS for _, text in texts[view]]
        with VectorCache(self.generations.root, build_number) as cache:
            rows = cache.vectors(
                self.embedder,
                words,
                lambda done, total: self.progress("embedding", done, total),
            )
        vectors: dict[View, Vectors] = {}
        start = 0
        for view in VIEWS:
            vectors[view] = rows[start : start + len(texts[view])]
            start += len(texts[view])
        return vectors

    def _write(
        self, folder: Path, texts: dict[View, list[_Text]], vectors: dict[View, Vectors]
    ) -> None:
        total = sum(len(rows) for rows in texts.values())
        done = 0

        def written(count: int) -> None:
            nonlocal done
            done += count
            self.progress("writing", done, total)

        self.progress("writing", 0, total)
        rows = {view: ([row for row, _ in texts[view]], vectors[view]) for view in VIEWS}
        build(folder / CHROMA_FOLDER, rows, written)

    def _describe(
        self, folder: Path, name: str, catalogue: Catalogue, texts: dict[View, list[_Text]]
    ) -> Manifest:
        documents = {
            document.path: IndexedDocument(
                id=document.id,
                digest=document.digest,
                passages=len(catalogue.passages_of(document.id)),
            )
            for document in catalogue.documents.values()
        }
        return Manifest(
            generation=name,
            model=self.embedder.name,
            model_digest=self.embedder.digest,
            dimension=self.embedder.dimension,
            splitter=self.splitter,
            chroma=chroma_version(),
            counts={"documents": len(documents), **{view: len(texts[view]) for view in VIEWS}},
            documents=documents,
            files=sums(folder),
        )

    def tidy(self, build_number: int) -> None:
        """Remove what is no longer needed; the index is published, whatever comes of this.

        Only within `generations.building()`.
        """
        try:
            self.generations.prune()
            with VectorCache(self.generations.root, build_number) as cache:
                cache.prune()
        except (OSError, sqlite3.Error) as error:
            _log.warning("Old generations could not be removed: %s", error)


def embedded_texts(catalogue: Catalogue) -> dict[View, list[_Text]]:
    """For each view its rows with the words that are embedded for them.

    A passage goes with its title and headings in front, which gained 7 to 17 points
    of first places on public question sets; sentences and questions go alone.
    """
    texts: dict[View, list[_Text]] = {view: [] for view in VIEWS}
    for document, passages in catalogue.entries():
        for passage in passages:
            _add(texts["passages"], passage.id, document, passage_text(document, passage))
            for place, sentence in enumerate(passage.sentences):
                key = sentence_key(passage.id, place)
                _add(texts["sentences"], key, document, passage.sentence_text(sentence))
            for place, question in enumerate(passage.questions):
                _add(texts["questions"], question_key(passage.id, place), document, question)
    return texts


def passage_text(document: Document, passage: Passage) -> str:
    """The words that a passage is embedded by: `title > heading > …: text`."""
    return f"{' > '.join((document.title, *passage.heading))}: {passage.text}"


def lexical_texts(catalogue: Catalogue) -> list[tuple[str, str]]:
    """Each passage's id with the words it is found by: title, headings and text."""
    return [
        (passage.id, "\n".join((document.title, *passage.heading, passage.text)))
        for document, passages in catalogue.entries()
        for passage in passages
    ]


def _add(rows: list[_Text], key: str, document: Document, text: str) -> None:
    rows.append((Row(key=key, document_id=document.id), text))
