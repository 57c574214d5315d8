"""Search by meaning: the vectors of a generation, in Chroma.

Owns everything about Chroma, which no other file imports: how its collections
are laid out, opened, checked and searched, and the one place where its distances
become similarities. Knows nothing of documents' texts, models or generations.
"""

import logging
import os
import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from index.errors import ForkedProcess, IndexDamaged, IndexMismatch, IndexUnwritable
from index.views import VIEWS, Match, Row, View, passage_of_key

if TYPE_CHECKING:
    from chromadb import Collection as ChromaCollection
    from chromadb.api.client import Client

Vectors = npt.NDArray[np.float32]

DATABASE = "chroma.sqlite3"
"""The file that Chroma writes to whenever it opens a folder."""
SETTLED = "index_metadata.pickle"
"""The file whose presence says that a collection's graph is written and won't be again."""

# Chroma's defaults (16, 100, 100) lose neighbours as a collection grows. With these, 99 %
# of the ten nearest of 6,000 vectors without any structure, the hardest there are, were
# those of an exact search; of the vectors of texts, all. A search takes 2 ms.
_NEIGHBOURS = 32
_CONSTRUCTION_EFFORT = 200
_SEARCH_EFFORT = 200
# A filter becomes as many SQL variables, of which SQLite takes 32,766.
_FILTER_SIZE = 10_000

# So many vectors that were read are kept (30 MB of 384 numbers each): Chroma hands them out as
# lists of Python numbers, which takes longer than all the rest of an answer. A library with
# more of them works as well, only slower.
_MOST_KEPT = 20_000

_log = logging.getLogger(__name__)


def chroma_version() -> str:
    """The installed Chroma's version."""
    import chromadb

    return str(chromadb.__version__)


class Store:
    """An opened folder of vectors. Threads may share it; forked processes may not."""

    def __init__(self, client: "Client", collections: Mapping[View, "ChromaCollection"]) -> None:
        self._client = client
        self._collections = dict(collections)
        self._counts = {view: collection.count() for view, collection in collections.items()}
        self._process = os.getpid()
        self._kept: dict[tuple[View, str], Vectors] = {}

    @classmethod
    def open(cls, folder: Path) -> "Store":
        """Open what `build` wrote. Chroma writes to the folder, so give readers a copy.

        Raises `IndexDamaged` when Chroma can't open it or a collection measures by
        anything but cosine or names code to load, and `IndexMismatch` when it was
        written by a Chroma with another layout.
        """
        client = _open_client(folder, create=False)
        try:
            found = {collection.name: collection for collection in client.list_collections()}
            collections: dict[View, ChromaCollection] = {}
            for view in VIEWS:
                if view in found:
                    _check_configuration(view, found[view].configuration_json)
                    # A client that is given no function builds none that a file names.
                    collections[view] = client.get_collection(view, embedding_function=None)
            return cls(client, collections)
        except IndexDamaged:
            client.close()
            raise
        except Exception as error:
            client.close()
            raise IndexDamaged(f"Chroma can't read the index ({type(error).__name__}).") from error

    def count(self, view: View) -> int:
        """How many vectors a view holds."""
        return self._counts.get(view, 0)

    def search(
        self,
        view: View,
        vector: npt.NDArray[np.float32],
        limit: int,
        document_ids: Collection[str] | None = None,
    ) -> list[Match]:
        """The `limit` nearest vectors of a view, best first; fewer where it holds fewer.

        `document_ids` keeps the search to these documents; `None` stands for all, an
        empty collection for none. Raises `ValueError` for a vector without direction,
        for which Chroma would return arbitrary matches.
        """
        self._check_process()
        query = np.asarray(vector, dtype=np.float32).reshape(-1)
        if not np.isfinite(query).all() or not query.any():
            raise ValueError("a vector to search for must be finite and not zero")
        limit = min(limit, self.count(view))
        if limit < 1 or (document_ids is not None and not document_ids):
            return []
        matches: list[Match] = []
        for where in _filters(document_ids):
            found = self._collections[view].query(
                query_embeddings=query[np.newaxis],
                n_results=limit,
                where=where,
                include=["distances"],
            )
            distances = found["distances"]
            assert distances is not None  # asked for by `include`
            matches += [
                Match(key=key, passage_id=passage_of_key(key), similarity=_similarity(distance))
                for key, distance in zip(found["ids"][0], distances[0], strict=True)
            ]
        # By key where equal, so that the same index gives the same order every time.
        return sorted(matches, key=lambda match: (-match.similarity, match.key))[:limit]

    def vectors(self, view: View, keys: Sequence[str]) -> Vectors:
        """The vectors with these keys as rows, in the order of `keys`.

        Raises `KeyError` for a key that the view doesn't hold.
        """
        self._check_process()
        if not keys:
            return np.zeros((0, 0), dtype=np.float32)
        if view not in self._collections:
            raise KeyError(keys[0])
        rows = {key: row for key in keys if (row := self._kept.get((view, key))) is not None}
        missing = [key for key in dict.fromkeys(keys) if key not in rows]
        rows |= self._read(view, missing)
        if len(self._kept) + len(missing) > _MOST_KEPT:
            self._kept.clear()
        # What is written never changes, so threads may do this at the same time.
        self._kept.update(((view, key), rows[key]) for key in missing[:_MOST_KEPT])
        return np.asarray([rows[key] for key in keys], dtype=np.float32)

    def _read(self, view: View, keys: Sequence[str]) -> dict[str, Vectors]:
        rows: dict[str, Vectors] = {}
        step = self._client.get_max_batch_size()
        for start in range(0, len(keys), step):
            found = self._collections[view].get(
                ids=list(keys[start : start + step]), include=["embeddings"]
            )
            embeddings = found["embeddings"]
            assert embeddings is not None  # asked for by `include`
            matrix = np.asarray(embeddings, dtype=np.float32)
            rows.update(zip(found["ids"], matrix, strict=True))
        return rows

    def keys(self, view: View) -> list[str]:
        """Every key of a view, in no promised order."""
        self._check_process()
        if view not in self._collections:
            return []
        return list(self._collections[view].get(include=[])["ids"])

    def warm(self, dimension: int) -> None:
        """Search every view once, so that Chroma loads its graphs now."""
        for view in self._collections:
            self.search(view, np.ones(dimension, dtype=np.float32), 1)

    def close(self) -> None:
        """Give back files, threads and memory. A second call does nothing."""
        self._client.close()

    def _check_process(self) -> None:
        if os.getpid() != self._process:
            raise ForkedProcess("The index")


def build(
    folder: Path,
    views: Mapping[View, tuple[Sequence[Row], Vectors]],
    written: Callable[[int], None] = lambda count: None,
) -> None:
    """Write the vectors of each view into a new `folder`, and close it.

    `views` gives rows and their vectors in the same order, all of one length and
    not zero; `written` is told how many more are in. A view without rows gets no
    collection. Raises `ValueError` when two rows of a view have one key, since
    Chroma would drop the second without a word, and `IndexUnwritable` when the disk
    is full or refuses.
    """
    for view, (rows, _) in views.items():
        if len({row.key for row in rows}) != len(rows):
            raise ValueError(f"two rows of the view {view} have one key")
    client = None
    try:
        client = _open_client(folder, create=True)
        for view, (rows, vectors) in views.items():
            if rows:
                _fill(client, view, rows, vectors, written)
    except Exception as error:
        # Chroma wraps what the disk said in errors of its own, without a number to tell.
        raise IndexUnwritable(
            f"Chroma can't write the index ({type(error).__name__}).",
            "Check that there is space left and that the folder is writable.",
        ) from error
    finally:
        if client is not None:
            client.close()


def compact(folder: Path) -> None:
    """Give back the space that a finished build left in Chroma's database (nine tenths).

    Only for a process that hasn't opened Chroma on `folder`: two SQLite libraries on
    one file in one process undo each other's locks.
    """
    with closing(sqlite3.connect(folder / DATABASE, isolation_level=None)) as database:
        database.execute("VACUUM")


def _fill(
    client: "Client",
    view: View,
    rows: Sequence[Row],
    vectors: Vectors,
    written: Callable[[int], None],
) -> None:
    # The graph is written to disk once, with the last vector: a collection that has
    # nothing left to write is never written to by a reader.
    effort: Any = {
        "space": "cosine",
        "max_neighbors": _NEIGHBOURS,
        "ef_construction": _CONSTRUCTION_EFFORT,
        "ef_search": _SEARCH_EFFORT,
        "sync_threshold": max(2, len(rows)),
    }
    collection = client.create_collection(
        view, embedding_function=None, configuration={"hnsw": effort}
    )
    _check_configuration(view, collection.configuration_json)
    step = client.get_max_batch_size()
    for start in range(0, len(rows), step):
        batch = rows[start : start + step]
        collection.add(
            ids=[row.key for row in batch],
            embeddings=vectors[start : start + step],
            metadatas=[{"document_id": row.document_id} for row in batch],
        )
        written(len(batch))


def _open_client(folder: Path, *, create: bool) -> "Client":
    import chromadb
    from chromadb.config import Settings

    if create:
        folder.mkdir(parents=True)
    elif not (folder / DATABASE).is_file():
        raise IndexDamaged(f"The index has no file {DATABASE}.")
    # Named here so that neither the environment nor a `.env` file decides them.
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]  # of pydantic, not of the plugin-less type
        anonymized_telemetry=False,
        chroma_api_impl="chromadb.api.rust.RustBindingsAPI",
        chroma_otel_collection_endpoint="",
        allow_reset=False,
        migrations="apply" if create else "validate",
    )
    try:
        client = chromadb.PersistentClient(str(folder.resolve()), settings=settings)
        return cast("Client", client)  # declared as an interface that can't be closed
    except Exception as error:
        _log.warning("Chroma refused to open an index: %s", type(error).__name__)
        if "igration" in str(error):
            raise IndexMismatch("The index was written by another version of Chroma.") from error
        raise IndexDamaged(f"Chroma can't open the index ({type(error).__name__}).") from error


def _check_configuration(view: str, configuration: Mapping[str, Any]) -> None:
    """Refuse a collection that measures otherwise, or makes its client load code."""
    function = configuration.get("embedding_function")
    if isinstance(function, Mapping) and (
        function.get("name") or function.get("type") not in (None, "legacy")
    ):
        raise IndexDamaged(f"The collection {view} names an embedding function; none is allowed.")
    hnsw = configuration.get("hnsw")
    space = hnsw.get("space") if isinstance(hnsw, Mapping) else None
    if space != "cosine":
        raise IndexDamaged(f"The collection {view} measures by {space}, not by cosine.")


def _filters(document_ids: Collection[str] | None) -> Iterable[Any]:
    """Chroma filters that together let through these documents, or one that lets all through."""
    if document_ids is None:
        yield None
        return
    ids = sorted(document_ids)
    for start in range(0, len(ids), _FILTER_SIZE):
        yield {"document_id": {"$in": ids[start : start + _FILTER_SIZE]}}


def _similarity(distance: float) -> float:
    """Chroma's cosine distance, 0 (same direction) to 2, as a similarity of 1 to 0."""
    return min(1.0, max(0.0, 1.0 - float(distance)))
