"""Putting the parts together: settings in, a ready assistant out."""

from assistant.chain import Assistant
from assistant.privacy import quiet_process
from assistant.settings import Settings
from index.embeddings import load_embedder
from index.reader import IndexReader


def build_assistant(settings: Settings | None = None) -> Assistant:
    """The assistant that `settings` describe (by default: the environment's).

    Loads the embedding model, which takes a few seconds; the index is opened by the
    first question. Raises `ModelError` when there is no such model.
    """
    quiet_process()
    if settings is None:
        from assistant.settings import load_settings

        settings = load_settings()
    embedder = load_embedder(settings.embedding_model)
    reader = IndexReader(settings.index, model_digest=embedder.digest)
    return Assistant(reader, embedder, evidence=settings.evidence)
