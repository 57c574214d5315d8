"""The settings: the only reader of the environment and of `.env`.

Owns names, defaults and bounds; README lists every one. Knows nothing of what
they are used for.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from corpus.errors import ExpectedError

_ROOT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Everything an operator may set, from `RAPPORTEUR_…` in the environment or in `.env`."""

    model_config = SettingsConfigDict(
        env_prefix="RAPPORTEUR_", env_file=".env", extra="ignore", frozen=True
    )

    library: Path = Field(
        default=_ROOT / "corpus" / "texts", description="folder of the documents to answer from"
    )
    index: Path = Field(
        default=_ROOT / "index" / "data", description="folder that holds the index built from them"
    )
    embedding_model: str = Field(
        default="all-MiniLM-L6-v2",
        description="embedding model: the default one, or a sentence-transformers name or folder",
    )
    evidence: int = Field(
        default=6, ge=1, le=20, description="passages that an answer may be made of"
    )
    chat_model: str = Field(
        default="",
        description="chat model that writes answers, as provider:model; without one, answers are "
        "exact quotations",
    )
    chat_model_url: str = Field(
        default="", description="address of the chat model's server, where not the usual one"
    )
    chat_model_key: SecretStr = Field(
        default=SecretStr(""),
        description="key for the chat model, where not in its provider's own variable",
    )
    chat_model_tokens: int = Field(
        default=700, ge=50, le=8_000, description="tokens that a written answer may take"
    )
    chat_model_answers_per_minute: int = Field(
        default=30, ge=1, le=10_000, description="written answers in a minute; more are quotations"
    )
    mode: Literal["visitor", "written", "quotation"] = Field(
        default="visitor",
        description="who chooses between written answers and exact quotations: the visitor, or "
        "this setting",
    )
    unsupported: Literal["mark", "leave out"] = Field(
        default="mark",
        description="what becomes of a written sentence that its passage does not support",
    )
    host: str = Field(default="127.0.0.1", description="address that the chat listens on")
    port: int = Field(
        default=7860, ge=0, le=65535, description="port of the chat; 0 takes a free one"
    )
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="host names, besides the local ones, under which the chat may be reached",
    )

    @field_validator("allowed_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(name.strip() for name in value.split(",") if name.strip())
        return value

    @classmethod
    def settings_names(cls) -> tuple[str, ...]:
        """The names as they stand in the environment."""
        return tuple(f"RAPPORTEUR_{name.upper()}" for name in cls.model_fields)


def load_settings(**overrides: object) -> Settings:
    """Read the environment and `.env`; `overrides` (those that are not None) win.

    Raises `ExpectedError` naming the setting when a value can't be used.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise ExpectedError(
            f"The setting RAPPORTEUR_{name.upper()} can't be used: {first['msg']}.",
            "README lists every setting with its default.",
        ) from error
