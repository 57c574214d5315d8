"""A prompt with evidence, and short ways to ask it of a model."""

import json

from model_answers import BEGIN, END
from model_server import ModelServer

from assistant.models import (
    ChatModel,
    Message,
    ModelError,
    ModelFault,
    ModelLimits,
    load_chat_model,
)

PASSAGES = (
    {
        "passage": 1, "title": "The review", "kind": "mechanism", "published": "2020",
        "heading": ["Cycle"],
        "sentences": [
            "Each state is reviewed about every four and a half years.",
            "The outcome of a review is not binding.",
        ],
    },
    {
        "passage": 2, "title": "The Council", "kind": "institution", "published": "",
        "heading": [], "sentences": ["The Council was founded in 2006 in Geneva."],
    },
)  # fmt: skip
SECRET = "How often is the state of Ruritania reviewed?"
"""The question; its words must stand in no log."""

PROMPT = (
    Message(role="system", content="Answer from the passages alone."),
    Message(
        role="user",
        content=BEGIN
        + "\n".join(json.dumps(passage) for passage in PASSAGES)
        + END
        + json.dumps({"question": SECRET, "language": "English"}),
    ),
)
HONEST = (
    "Each state is reviewed about every four and a half years [1]. "
    "The outcome of a review is not binding [1]. The Council was founded in 2006 in Geneva [2]."
)

KEY = "sk-our-own-secret-key"


def model_of(server: ModelServer, **limits: float) -> ChatModel:
    """A model at the server, with short times where none are given."""
    times = {"first_token_s": 20.0, "gap_s": 20.0, "total_s": 30.0}
    return load_chat_model(
        "openai:test",
        base_url=server.url,
        api_key=KEY,
        limits=ModelLimits(**{**times, **limits}),  # type: ignore[arg-type]
    )


def outcome(model: ChatModel, streamed: bool = True) -> tuple[str, ModelFault | None]:
    """The text that came, and the fault that ended it."""
    pieces: list[str] = []
    try:
        if streamed:
            pieces.extend(model.stream(PROMPT))
        else:
            pieces.append(model.complete(PROMPT))
    except ModelError as error:
        return "".join(pieces), error.fault
    return "".join(pieces), None
