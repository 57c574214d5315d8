"""Kept vectors are those that the encoder gives; only so many are kept."""

from collections.abc import Sequence

import numpy as np

from assistant.remembered import Remembered
from index.embeddings import Embedder, Vectors

TEXTS = ["Boats need lamps.", "The quay is dark.", "Boats need lamps.", "Seven judges sit."]


class Counting:
    """An encoder that notes what it is asked for."""

    def __init__(self, embedder: Embedder) -> None:
        self.asked: list[str] = []
        self._embedder = embedder

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        return self._embedder.encode(texts)


def test_each_text_is_encoded_once(embedder: Embedder) -> None:
    counting = Counting(embedder)
    kept = Remembered(counting)
    for _ in range(2):
        assert np.allclose(kept.encode(TEXTS), embedder.encode(TEXTS), atol=1e-5)
    assert sorted(counting.asked) == sorted(set(TEXTS))
    assert kept.encode([]).shape == (0, embedder.dimension)


def test_only_the_latest_are_kept(embedder: Embedder) -> None:
    counting = Counting(embedder)
    kept = Remembered(counting, most=2)
    for text in ("one", "two", "three", "one", "three"):
        kept.encode([text])
    assert counting.asked == ["one", "two", "three", "one"]
