"""Checks a built generation before it is published, in a process of its own.

`python -m index.verification FOLDER` opens it as a reader would after a restart,
and says in one line of JSON what is wrong: the builder's process could still hold
in memory what never reached the disk. Owns those checks; knows nothing of how the
generation was built. It ends with its builder, whose end of the pipe on the standard input it
watches: one that outlived a kill would write into a folder that is being removed.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from corpus.errors import ExpectedError
from index.catalogue import Catalogue
from index.errors import IndexDamaged
from index.lexical import Lexical
from index.reader import CATALOGUE_FILE, CHROMA_FOLDER, LEXICAL_FOLDER
from index.store import Store, Vectors, compact
from index.views import VIEWS, View, question_key, sentence_key

_SAMPLES = 64
_NEAREST = 10
_RECALL = 0.95
_ROUNDING = 1e-4
_TIMEOUT_SECONDS = 600


def verify(folder: Path) -> None:
    """Check the generation in `folder` in another process; raises `IndexDamaged`."""
    package = Path(__file__).resolve().parent.parent
    command = [sys.executable, "-m", "index.verification", str(folder.resolve())]
    # A pipe that `run` made itself would be closed at once, not held while it runs.
    read_end, write_end = os.pipe()
    try:
        run = subprocess.run(
            command,
            cwd=package,
            stdin=read_end,
            capture_output=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise IndexDamaged("The new index could not be checked in time.") from error
    finally:
        os.close(read_end)
        os.close(write_end)
    try:
        said = json.loads(run.stdout.decode("utf-8").strip().splitlines()[-1])
    except (ValueError, IndexError) as error:
        raise IndexDamaged(
            f"The new index could not be checked (exit code {run.returncode})."
        ) from error
    if said["wrong"]:
        raise IndexDamaged(f"The new index isn't published: {said['wrong']}")


def check(folder: Path) -> None:
    """Check the generation in `folder`, from what is on the disk; raises `IndexDamaged`."""
    catalogue = Catalogue.load(folder / CATALOGUE_FILE)
    lexical = Lexical.load(folder / LEXICAL_FOLDER)
    if lexical.passage_ids != tuple(catalogue.passages):
        raise IndexDamaged("the index of words holds other passages.")
    compact(folder / CHROMA_FOLDER)
    store = Store.open(folder / CHROMA_FOLDER)
    try:
        for view, keys in expected_keys(catalogue).items():
            _check_view(store, view, keys)
    finally:
        store.close()


def expected_keys(catalogue: Catalogue) -> dict[View, list[str]]:
    """The keys that each view of a catalogue's index holds, in order."""
    keys: dict[View, list[str]] = {view: [] for view in VIEWS}
    for passage in catalogue.passages.values():
        keys["passages"].append(passage.id)
        keys["sentences"] += [sentence_key(passage.id, n) for n in range(len(passage.sentences))]
        keys["questions"] += [question_key(passage.id, n) for n in range(len(passage.questions))]
    return keys


def _check_view(store: Store, view: View, keys: list[str]) -> None:
    if sorted(store.keys(view)) != sorted(keys) or store.count(view) != len(keys):
        raise IndexDamaged(f"the {view} in it aren't those of its documents.")
    if not keys:
        return
    vectors = store.vectors(view, keys)
    sample = np.unique(np.linspace(0, len(keys) - 1, _SAMPLES).astype(int))
    queries = vectors[sample]
    found = sought = 0
    for query, nearest in zip(queries, exact_search(vectors, queries, _NEAREST), strict=True):
        matches = store.search(view, query, len(nearest))
        # Compared by similarity, for texts that stand twice are equally near.
        if not matches or matches[0].similarity < nearest[0] - _ROUNDING:
            raise IndexDamaged(f"some {view} in it aren't found by their own words.")
        sought += len(nearest)
        found += sum(match.similarity >= nearest[-1] - _ROUNDING for match in matches)
    if found < _RECALL * sought:
        raise IndexDamaged(f"searching its {view} finds {found} of {sought} nearest.")


def exact_search(
    vectors: Vectors, queries: Vectors, limit: int
) -> Iterable[npt.NDArray[np.float32]]:
    """The `limit` highest cosines of each query among `vectors`, by comparing with all.

    All rows must be of length 1. The oracle that `search` is measured against.
    """
    for query in queries:
        cosines = vectors @ query
        limit = min(limit, len(cosines))
        yield np.sort(np.partition(cosines, len(cosines) - limit)[len(cosines) - limit :])[::-1]


def _end_with_the_builder() -> None:
    """Wait until the standard input is closed, which is when the builder is gone, and end."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(1)


def main() -> None:
    """Check the folder that the command line names and print what is wrong with it.

    For as long as the standard input is open.
    """
    threading.Thread(target=_end_with_the_builder, daemon=True).start()
    try:
        check(Path(sys.argv[1]))
    except ExpectedError as error:
        sys.stdout.write(json.dumps({"wrong": error.message}) + "\n")
    else:
        sys.stdout.write(json.dumps({"wrong": ""}) + "\n")


if __name__ == "__main__":
    main()
