"""The vectors in Chroma: nothing lost, nothing arbitrary, no code, as good as exact search."""

import os
import sqlite3

import numpy as np
import pytest

from index.errors import ForkedProcess, IndexDamaged, IndexMismatch
from index.store import DATABASE, SETTLED, Store, build, compact
from index.verification import exact_search
from index.views import Row, passage_of_key, question_key, sentence_key

DIMENSION = 64


def rows_of(count, documents=10):
    return [Row(key=f"p{n}", document_id=f"d{n % documents}") for n in range(count)]


def vectors_of(count, seed=0, dimension=DIMENSION):
    """Vectors in clusters, as those of texts are."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(max(1, count // 20), dimension))
    vectors = centres[random.integers(0, len(centres), count)]
    vectors = vectors + 0.5 * random.normal(size=(count, dimension))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """More vectors than Chroma takes at once, and a view with one, and one with none."""
    folder = tmp_path_factory.mktemp("store") / "chroma"
    vectors = vectors_of(6000)
    build(
        folder,
        {
            "passages": (rows_of(6000), vectors),
            "sentences": ([Row(key="p0#0", document_id="d0")], vectors[:1]),
            "questions": ([], vectors[:0]),
        },
    )
    store = Store.open(folder)
    yield store, vectors
    store.close()


def test_more_than_one_batch_is_kept(large):
    store, vectors = large
    assert [store.count(view) for view in ("passages", "sentences", "questions")] == [6000, 1, 0]
    assert set(store.keys("passages")) == {row.key for row in rows_of(6000)}
    for number in (0, 5460, 5461, 5999):
        assert store.search("passages", vectors[number], 1)[0].key == f"p{number}"


def test_search_finds_what_exact_search_finds(large):
    store, vectors = large
    random = np.random.default_rng(1)
    queries = vectors[:100] + 0.1 * random.normal(size=(100, DIMENSION)).astype(np.float32)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    found = 0
    for query, nearest in zip(queries, exact_search(vectors, queries, 10), strict=True):
        matches = store.search("passages", query, 10)
        assert [match.similarity for match in matches] == sorted(
            (match.similarity for match in matches), reverse=True
        )
        assert abs(matches[0].similarity - nearest[0]) < 1e-4
        found += sum(match.similarity >= nearest[-1] - 1e-5 for match in matches)
    assert found >= 990


def test_filters_keep_to_documents(large):
    store, vectors = large
    wanted = {"d3", "d7"}
    allowed = [number for number in range(6000) if f"d{number % 10}" in wanted]
    matches = store.search("passages", vectors[0], 20, wanted)
    assert len(matches) == 20
    assert all(f"d{int(match.key[1:]) % 10}" in wanted for match in matches)
    assert abs(matches[0].similarity - max(0, (vectors[allowed] @ vectors[0]).max())) < 1e-4
    assert store.search("passages", vectors[0], 5, set()) == []
    assert store.search("passages", vectors[0], 5, {"none"}) == []
    # More documents than SQLite takes variables.
    many = {f"x{number}" for number in range(40_000)} | {"d3"}
    assert store.search("passages", vectors[0], 5, many) == store.search(
        "passages", vectors[0], 5, {"d3"}
    )


def test_small_and_empty_views(large):
    store, vectors = large
    assert [match.key for match in store.search("sentences", vectors[0], 5)] == ["p0#0"]
    assert store.search("questions", vectors[0], 5) == []
    assert store.search("passages", vectors[0], 0) == []
    assert len(store.search("passages", vectors[0], 10**7)) == 6000


def test_vectors_come_in_the_order_asked_for(large):
    store, vectors = large
    found = store.vectors("passages", ["p7", "p2", "p7"])
    assert np.allclose(found, vectors[[7, 2, 7]], atol=1e-6)
    found[:] = 0.0  # what is kept of them is not the caller's to change
    again = store.vectors("passages", ["p2", "p9", "p7"])
    assert np.allclose(again, vectors[[2, 9, 7]], atol=1e-6)
    assert np.allclose(store.vectors("passages", [f"p{n}" for n in range(6000)]), vectors)
    with pytest.raises(KeyError):
        store.vectors("passages", ["p1", "nobody"])
    with pytest.raises(KeyError):
        store.vectors("questions", ["p1?0"])


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_a_vector_without_direction_is_refused(large, value):
    store, _ = large
    with pytest.raises(ValueError, match="finite"):
        store.search("passages", np.full(DIMENSION, value, dtype=np.float32), 3)


def test_a_forked_child_is_told_instead_of_hanging(large):
    store, vectors = large
    child = os.fork()
    if not child:
        try:
            store.search("passages", vectors[0], 1)
        except ForkedProcess:
            os._exit(0)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0


def test_keys_name_their_passage():
    assert sentence_key("doc-1", 2) == "doc-1#2" and question_key("doc-1", 0) == "doc-1?0"
    assert [passage_of_key(key) for key in ("a-1", "a-1#3", "a-1?4")] == ["a-1"] * 3


def test_one_key_twice_is_refused_before_anything_is_written(tmp_path):
    twice = [Row(key="p0", document_id="d")] * 2
    with pytest.raises(ValueError, match="one key"):
        build(tmp_path / "chroma", {"passages": (twice, vectors_of(2))})
    assert not (tmp_path / "chroma").exists()


@pytest.mark.parametrize("count", [2, 3, 150])
def test_a_reader_writes_no_graph(tmp_path, count):
    folder = tmp_path / "chroma"
    build(folder, {"passages": (rows_of(count), vectors_of(count))})
    graphs = {path: path.read_bytes() for path in folder.rglob("*.*") if path.name != DATABASE}
    assert any(path.name == SETTLED for path in graphs)
    for _ in range(3):
        store = Store.open(folder)
        store.search("passages", vectors_of(count)[0], 2)
        store.close()
    assert {path: path.read_bytes() for path in graphs} == graphs


def test_compacting_loses_nothing(tmp_path):
    folder = tmp_path / "chroma"
    vectors = vectors_of(2000)
    build(folder, {"passages": (rows_of(2000), vectors)})
    before = (folder / DATABASE).stat().st_size
    compact(folder)
    assert (folder / DATABASE).stat().st_size < before / 2
    store = Store.open(folder)
    assert store.count("passages") == 2000
    assert store.search("passages", vectors[9], 1)[0].key == "p9"
    store.close()


def test_a_collection_that_names_code_is_refused(tmp_path):
    import chromadb
    from chromadb.utils.embedding_functions import DefaultEmbeddingFunction

    with chromadb.PersistentClient(str(tmp_path / "chroma")) as client:
        client.create_collection(
            "passages",
            embedding_function=DefaultEmbeddingFunction(),
            configuration={"hnsw": {"space": "cosine"}},
        ).add(ids=["a"], embeddings=vectors_of(1))
    with pytest.raises(IndexDamaged, match="names an embedding function"):
        Store.open(tmp_path / "chroma")


def test_a_collection_that_measures_otherwise_is_refused(tmp_path):
    import chromadb

    with chromadb.PersistentClient(str(tmp_path / "chroma")) as client:
        client.create_collection("passages", embedding_function=None).add(
            ids=["a"], embeddings=vectors_of(1)
        )
    with pytest.raises(IndexDamaged, match="not by cosine"):
        Store.open(tmp_path / "chroma")


def test_another_layout_is_refused_and_left_alone(tmp_path):
    folder = tmp_path / "chroma"
    build(folder, {"passages": (rows_of(3), vectors_of(3))})
    with sqlite3.connect(folder / DATABASE) as database:
        database.execute("DELETE FROM migrations WHERE dir = 'sysdb' AND version > 5")
    database.close()
    with pytest.raises(IndexMismatch):
        Store.open(folder)
    with sqlite3.connect(folder / DATABASE) as database:
        newest = database.execute("SELECT max(version) FROM migrations WHERE dir = 'sysdb'")
        assert newest.fetchone() == (5,)
    database.close()


def test_a_folder_without_a_database_is_refused(tmp_path):
    with pytest.raises(IndexDamaged):
        Store.open(tmp_path)
    assert list(tmp_path.iterdir()) == []
