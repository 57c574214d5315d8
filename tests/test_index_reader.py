"""The open index: swapped while it is read, damaged, missing, and never written to."""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from index_material import TEXTS, files_of, flip, write_library

from index.errors import ForkedProcess, IndexMissing
from index.generations import Generations
from index.ingest import ingest
from index.manifest import MANIFEST, check_files
from index.reader import IndexReader

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def built(tmp_path_factory, embedder):
    """An index of two generations, not to be written to."""
    folder = tmp_path_factory.mktemp("built")
    library = write_library(folder / "library", TEXTS)
    ingest(library, folder / "index", embedder)
    (library / "new.md").write_text("# New\n\nThe lighthouse was built of granite.\n")
    ingest(library, folder / "index", embedder)
    return folder


@pytest.fixture
def index(tmp_path, built):
    """A copy of the index, to be broken."""
    return Path(shutil.copytree(built / "index", tmp_path / "index"))


@pytest.fixture
def open_reader(embedder):
    """Makes readers, and closes them."""
    readers = []

    def make(index, **settings):
        readers.append(IndexReader(index, model_digest=embedder.digest, **settings))
        return readers[-1]

    yield make
    for reader in readers:
        reader.close()


def test_reading_writes_nothing(built, open_reader):
    before = {path: path.stat().st_mtime_ns for path in (built / "index").rglob("*")}
    reader = open_reader(built / "index")
    assert reader.status().generation == "gen-000002"
    with reader.lease() as opened:
        assert opened.store.count("passages") == len(opened.catalogue.passages)
        check_files(Generations(built / "index").newest().path, opened.manifest)
    reader.close()
    assert {path: path.stat().st_mtime_ns for path in (built / "index").rglob("*")} == before


def test_a_missing_index_names_the_command(tmp_path, open_reader):
    reader = open_reader(tmp_path / "none")
    with pytest.raises(IndexMissing, match="rapporteur index"), reader.lease():
        pass
    status = reader.status()
    assert not status.available and "rapporteur index" in status.degraded
    assert not (tmp_path / "none").exists()


def test_an_index_that_appears_is_found(tmp_path, built, open_reader):
    reader = open_reader(tmp_path / "index")
    assert not reader.status().available
    shutil.copytree(built / "index", tmp_path / "index")
    assert reader.status().available


@pytest.mark.parametrize("how", ["flipped", "cut", "emptied", "gone", "linked"])
@pytest.mark.parametrize("half", [0, 1])
def test_every_damaged_file_is_noticed_before_it_is_opened(index, open_reader, how, half):
    for path in list(files_of(index / "gen-000002"))[half::2]:
        if not path.stat().st_size:
            continue
        kept = path.read_bytes()
        if how == "flipped":
            flip(path, len(kept) // 2)
        elif how == "cut":
            path.write_bytes(kept[:-1])
        elif how == "emptied":
            path.write_bytes(b"")
        else:
            path.unlink()
            if how == "linked":
                path.symlink_to("/etc/hostname")
        status = open_reader(index).status()
        assert status.available and status.generation == "gen-000001"
        assert path.name in status.degraded and "gen-000001 is used instead" in status.degraded
        if path.is_symlink():
            path.unlink()
        path.write_bytes(kept)
    assert open_reader(index).status().degraded == ""


def test_a_stray_file_is_not_used(index, open_reader):
    (index / "gen-000002" / "chroma" / "chroma.sqlite3-journal").write_bytes(b"x" * 5000)
    (index / "gen-000002" / "chroma" / "chroma.sqlite3-wal").write_bytes(b"x" * 5000)
    assert open_reader(index).status().generation == "gen-000002"


def test_a_bad_publication_is_refused_while_the_open_one_goes_on(index, open_reader):
    (index / "CURRENT").write_text("gen-000001\n")
    reader = open_reader(index, check_seconds=0)
    assert reader.status().generation == "gen-000001"
    (index / "gen-000002" / MANIFEST).unlink()
    (index / "CURRENT").write_text("gen-000002\n")
    status = reader.status()
    assert status.generation == "gen-000001" and "manifest of gen-000002" in status.degraded
    (index / "CURRENT").write_text("gen-000001\n")
    assert reader.status().degraded == ""


def test_an_index_that_goes_away_is_still_served(index, open_reader, embedder):
    reader = open_reader(index, check_seconds=0)
    assert reader.status().available
    shutil.rmtree(index)
    with reader.lease() as opened:
        best = opened.store.search("passages", embedder.encode(["granite lighthouse"])[0], 1)[0]
        assert "granite" in opened.catalogue.passages[best.passage_id].text
    assert "CURRENT" in reader.status().degraded


def test_a_swap_is_invisible(tmp_path, embedder, open_reader):
    library = write_library(tmp_path / "library", TEXTS)
    index = tmp_path / "index"
    ingest(library, index, embedder)
    reader = open_reader(index, check_seconds=0)
    vector = embedder.encode(["How many lamps does the lighthouse have?"])[0]
    done = threading.Event()
    seen: set[str] = set()
    wrong: list[str] = []

    def ask() -> None:
        while not done.is_set():
            with reader.lease() as opened:
                matches = opened.store.search("passages", vector, 20)
                if {match.passage_id for match in matches} != set(opened.catalogue.passages):
                    wrong.append(opened.generation)
                seen.add(opened.generation)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(4):
        (library / "new.md").write_text(f"# New\n\nThe lighthouse has {number} lamps.\n")
        ingest(library, index, embedder)
    # A lease doesn't wait while another thread opens the newest one; this does.
    reader.refresh()
    with reader.lease() as opened:
        last = opened.generation
    done.set()
    for thread in threads:
        thread.join()
    assert not wrong and last == "gen-000005" and len(seen) > 1


def test_a_lease_keeps_its_generation_open(index, open_reader, embedder):
    (index / "CURRENT").write_text("gen-000001\n")
    reader = open_reader(index, check_seconds=0)
    vector = embedder.encode(["thyme"])[0]
    with reader.lease() as earlier:
        (index / "CURRENT").write_text("gen-000002\n")
        with reader.lease() as later:
            assert (earlier.generation, later.generation) == ("gen-000001", "gen-000002")
        assert earlier.store.search("passages", vector, 1)
    with reader.lease() as again:
        assert again is later


def test_looks_are_rare_unless_asked_for(index, open_reader):
    (index / "CURRENT").write_text("gen-000001\n")
    reader = open_reader(index, check_seconds=3600)
    assert reader.status().generation == "gen-000001"
    (index / "CURRENT").write_text("gen-000002\n")
    assert reader.status().generation == "gen-000001"
    reader.refresh()
    assert reader.status().generation == "gen-000002"


def test_swapping_leaks_nothing(index, open_reader, tmp_path, monkeypatch):
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    reader = open_reader(index, check_seconds=0)

    def held() -> tuple[int, int]:
        return len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))

    def swap(times: int) -> None:
        for number in range(times):
            (index / "CURRENT").write_text(f"gen-00000{1 + number % 2}\n")
            assert reader.status().generation == f"gen-00000{1 + number % 2}"

    swap(4)
    before = held()
    swap(20)
    descriptors, threads = held()
    assert descriptors <= before[0] + 2 and threads <= before[1] + 2
    assert len(list((tmp_path / "scratch").iterdir())) == 1
    reader.close()
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_forked_child_is_told_and_leaves_the_scratch_folder(index, open_reader):
    reader = open_reader(index)
    assert reader.status().available
    child = os.fork()
    if not child:
        try:
            with reader.lease():
                os._exit(1)
        except ForkedProcess:
            os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    with reader.lease() as opened:
        assert opened.store.count("passages")


def test_a_reader_that_is_not_closed_leaves_nothing_behind(built, tmp_path, embedder):
    code = (
        "from pathlib import Path; from index.reader import IndexReader;"
        f"r = IndexReader(Path({str(built / 'index')!r}), model_digest={embedder.digest!r});"
        "print(r.status().generation)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == "gen-000002" and run.stderr == ""
    assert list(tmp_path.iterdir()) == []
