"""Vectors of texts that come again and again, kept by digest.

Checking a written answer compares every sentence with the same few passages; encoding
those anew each time would be nearly its whole cost. Knows nothing of what is compared.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from assistant.support import Encoder
from index.embeddings import Vectors

MOST = 8_000
"""Vectors kept: about 12 MB of 384 dimensions."""


class Remembered:
    """An encoder that keeps the vectors of the latest texts, and no text. Threads may share it."""

    def __init__(self, encoder: Encoder, most: int = MOST) -> None:
        self._encoder = encoder
        self._most = most
        self._kept: OrderedDict[bytes, Vectors] = OrderedDict()
        self._lock = threading.Lock()

    def encode(self, texts: Sequence[str]) -> Vectors:
        """The vectors of `texts`, in order, one row each."""
        if not texts:
            return self._encoder.encode(texts)
        keys = [hashlib.sha256(text.encode("utf-8", "replace")).digest() for text in texts]
        with self._lock:
            rows = {key: self._kept[key] for key in keys if key in self._kept}
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in rows}
        if missing:
            rows |= zip(missing, self._encoder.encode(list(missing.values())), strict=True)
        with self._lock:
            for key in keys:
                self._kept[key] = rows[key]
                self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return np.stack([rows[key] for key in keys])
