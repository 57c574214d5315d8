"""What many tests share: the embedding model, loaded once."""

import pytest

from index.embeddings import Embedder, load_embedder


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    """The default model, from its wheel."""
    return load_embedder()
