"""Processes that are killed: the index goes on answering, and the next run mends what was left.

The children come from a server that has imported the heavy libraries once, and load
their own model: killing them is killing a real builder or reader.
"""

import os
import signal
import subprocess
import sys
import tempfile
from multiprocessing import get_context
from pathlib import Path

import pytest
from index_material import TEXTS, write_library

from index.building import STEPS
from index.embeddings import DEFAULT_DIGEST, load_embedder
from index.generations import LOCK, Generations
from index.ingest import ingest
from index.reader import CATALOGUE_FILE, IndexReader

PROCESSES = get_context("forkserver")
PROCESSES.set_forkserver_preload(["torch", "sentence_transformers", "chromadb", "index.ingest"])

PROJECT = Path(__file__).parent.parent

BUILD_TAKES = 1.5
"""Seconds; only says within what time the random kills fall."""


def _build_until(library: Path, index: Path, step: str) -> None:
    def on_step(reached: str) -> None:
        if reached == step:
            os.kill(os.getpid(), signal.SIGKILL)

    ingest(library, index, load_embedder(), on_step=on_step)


def _build_slowly(library: Path, index: Path, started) -> None:
    embedder = load_embedder()
    started.set()
    ingest(library, index, embedder)


def _hold_open(index: Path, scratch: str, started, go_on) -> None:
    tempfile.tempdir = scratch
    reader = IndexReader(index, model_digest=DEFAULT_DIGEST)
    with reader.lease() as opened:
        keys = opened.store.keys("passages")
        vectors = opened.store.vectors("passages", keys)
        started.set()
        while not go_on.wait(0):
            for key, vector in zip(keys, vectors, strict=True):
                if opened.store.search("passages", vector, 1)[0].key != key:
                    os._exit(1)
    reader.close()


def run(target, *arguments):
    child = PROCESSES.Process(target=target, args=arguments)
    child.start()
    return child


def answers(index):
    """What the index answers, checked for being one whole generation."""
    reader = IndexReader(index, model_digest=DEFAULT_DIGEST)
    try:
        with reader.lease() as opened:
            passages = opened.catalogue.passages
            vectors = opened.store.vectors("passages", list(passages))
            for passage_id, vector in zip(passages, vectors, strict=True):
                assert opened.store.search("passages", vector, 1)[0].passage_id == passage_id
            assert opened.lexical.passage_ids == tuple(passages)
            return {passage.text for passage in passages.values()}
    finally:
        reader.close()


def change(library, number):
    """Change one document in a way that can be seen in the answers."""
    (library / "new.md").write_text(f"# New\n\nThe lighthouse has {number} lamps.\n")


@pytest.fixture(scope="module")
def place(tmp_path_factory, embedder):
    """A library with its index, which the tests of this file change in turn."""
    folder = tmp_path_factory.mktemp("killed")
    library = write_library(folder / "library", TEXTS)
    ingest(library, folder / "index", embedder)
    return library, folder / "index"


@pytest.mark.parametrize("number", range(len(STEPS) + 1))
def test_a_kill_at_each_step(place, embedder, number):
    library, index = place
    step = ("read", *STEPS)[number]
    before = answers(index)
    change(library, number)
    child = run(_build_until, library, index, step)
    child.join()
    assert child.exitcode == -signal.SIGKILL
    after = answers(index)
    lamps = f"The lighthouse has {number} lamps."
    assert (after == before) if step != "prune" else (lamps in after)
    assert Generations(index).newest().degraded == ""

    ingest(library, index, embedder)
    assert lamps in answers(index)
    assert len(Generations(index).names()) == 2
    assert not list(index.glob("*.tmp"))
    assert not ingest(library, index, embedder).published


def test_kills_at_random_moments(place, embedder):
    library, index = place
    for number, share in enumerate((0.1, 0.4, 0.6, 0.8)):
        before = answers(index)
        change(library, 100 + number)
        started = PROCESSES.Event()
        child = run(_build_slowly, library, index, started)
        assert started.wait(60)
        child.join(BUILD_TAKES * share)
        child.kill()
        child.join()
        lamps = f"The lighthouse has {100 + number} lamps."
        found = answers(index)
        assert found == before or lamps in found
    ingest(library, index, embedder)
    assert lamps in answers(index) and not list(index.glob("*.tmp"))


def test_the_check_of_a_killed_builder_ends_with_it(tmp_path):
    os.mkfifo(tmp_path / CATALOGUE_FILE)  # so that the check waits when it opens this
    command = [sys.executable, "-m", "index.verification", str(tmp_path)]
    check = subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with pytest.raises(subprocess.TimeoutExpired):
        check.wait(1)
    check.stdin.close()
    assert check.wait(60) == 1 and check.stdout.read() == b""
    check.stdout.close()


def test_the_lock_of_a_killed_builder_is_free(place):
    library, index = place
    change(library, 300)
    run(_build_until, library, index, "write").join()
    assert (index / LOCK).exists()
    with Generations(index).building():
        pass


def test_readers_in_many_processes_while_one_builds_and_one_dies(place, embedder, tmp_path):
    library, index = place
    ingest(library, index, embedder)
    started = [PROCESSES.Event() for _ in range(3)]
    go_on = PROCESSES.Event()
    readers = [run(_hold_open, index, str(tmp_path), event, go_on) for event in started]
    assert all(event.wait(60) for event in started)
    held = Generations(index).newest()
    assert len(list(tmp_path.glob("rapporteur-index-*"))) == 3

    readers[0].kill()
    readers[0].join()
    # Twice, so that the generation that is read goes while it is read.
    for number in (401, 402):
        change(library, number)
        ingest(library, index, embedder)
        assert f"The lighthouse has {number} lamps." in answers(index)
    assert not held.path.exists()
    go_on.set()
    for reader in readers[1:]:
        reader.join()
    assert [reader.exitcode for reader in readers] == [-signal.SIGKILL, 0, 0]

    # What the killed one left in the temporary folder goes with the next reader.
    left = list(tmp_path.glob("rapporteur-index-*"))
    assert len(left) == 1
    started[0].clear()
    last = run(_hold_open, index, str(tmp_path), started[0], go_on)
    last.join()
    assert last.exitcode == 0 and not list(tmp_path.glob("rapporteur-index-*"))


def test_restarts_after_a_killed_reader_answer_the_same(place, embedder, tmp_path):
    library, index = place
    ingest(library, index, embedder)
    expected = answers(index)
    never = PROCESSES.Event()
    for _ in range(3):
        started = PROCESSES.Event()
        child = run(_hold_open, index, str(tmp_path), started, never)
        assert started.wait(60)
        child.kill()
        child.join()
        # Checks every file's checksum, the database's included: readers write nothing.
        assert Generations(index).newest().degraded == ""
        assert answers(index) == expected
