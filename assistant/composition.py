"""Putting the parts together: settings in, a ready assistant out."""

from typing import TYPE_CHECKING

from assistant.answers import Mode
from assistant.chain import Assistant
from assistant.privacy import quiet_process
from assistant.settings import Settings
from index.embeddings import Embedder, load_embedder
from index.reader import IndexReader

if TYPE_CHECKING:
    from assistant.writing import Writer

_MODES: dict[str, tuple[Mode, ...]] = {
    "visitor": ("written", "quotation"),
    "written": ("written",),
    "quotation": ("quotation",),
}


def build_assistant(settings: Settings | None = None) -> Assistant:
    """The assistant that `settings` describe (by default: the environment's).

    Loads the embedding model, which takes a few seconds; the index is opened by the
    first question. A chat model is called by the first question that it answers.
    Raises `ExpectedError` when there is no such embedding model, or the chat model can't
    be used as it is set.
    """
    quiet_process()
    if settings is None:
        from assistant.settings import load_settings

        settings = load_settings()
    embedder = load_embedder(settings.embedding_model)
    reader = IndexReader(settings.index, model_digest=embedder.digest)
    return Assistant(
        reader,
        embedder,
        evidence=settings.evidence,
        writer=_writer(settings, embedder),
        modes=_MODES[settings.mode],
    )


def _writer(settings: Settings, embedder: Embedder) -> "Writer | None":
    """What writes answers, if a chat model is set and may be used."""
    if not settings.chat_model or settings.mode == "quotation":
        return None
    # Reading these takes a while, and most installations have no chat model.
    from assistant.models import ModelLimits, load_chat_model
    from assistant.remembered import Remembered
    from assistant.support import SupportCheck
    from assistant.writing import Writer

    limits = ModelLimits(
        most_tokens=settings.chat_model_tokens,
        answers_per_minute=settings.chat_model_answers_per_minute,
    )
    model = load_chat_model(
        settings.chat_model,
        base_url=settings.chat_model_url,
        api_key=settings.chat_model_key.get_secret_value(),
        limits=limits,
    )
    return Writer(
        model=model,
        check=SupportCheck(Remembered(embedder)),
        leave_out=settings.unsupported == "leave out",
    )
