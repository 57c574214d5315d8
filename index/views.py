"""The three ways into a passage, and how their vectors are named.

Owns the views of an index and the keys in them. Knows nothing of Chroma, which
holds them, or of what is searched for.
"""

from dataclasses import dataclass
from typing import Literal, get_args

View = Literal["passages", "sentences", "questions"]
VIEWS: tuple[View, ...] = get_args(View)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One vector's names. `key` is unique in its view; a search may keep to documents."""

    key: str
    document_id: str


@dataclass(frozen=True, kw_only=True)
class Match:
    """A found vector. `similarity` is the cosine, with what is below 0 counted as 0.

    `key` is the passage's id; for its i-th sentence `{passage_id}#{i}`, for its i-th
    anticipated question `{passage_id}?{i}`, from 0.
    """

    key: str
    passage_id: str
    similarity: float


def sentence_key(passage_id: str, number: int) -> str:
    """The key of a passage's sentence, counted from 0."""
    return f"{passage_id}#{number}"


def question_key(passage_id: str, number: int) -> str:
    """The key of a passage's anticipated question, counted from 0."""
    return f"{passage_id}?{number}"


def passage_of_key(key: str) -> str:
    """The id of the passage that a key belongs to. Ids hold neither `#` nor `?`."""
    return key.partition("#")[0].partition("?")[0]
