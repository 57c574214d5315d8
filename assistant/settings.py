"""The settings: the only reader of the environment and of `.env`.

Owns names, defaults and bounds; README lists every one. Knows nothing of what
they are used for.
"""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from corpus.errors import ExpectedError

_ROOT = Path(__file__).resolve().parent.parent

Network = IPv4Network | IPv6Network

# A scheme, a name or an address, and perhaps a port: what may stand in HTML as it is.
_ADDRESS = re.compile(r"https?://(?:[\w.-]+|\[[0-9a-f:]+\])(?::\d{1,4}|:[1-6]\d{4})?/?", re.ASCII)

_SHORTEST_KEY = 32
"""Characters of a key: 16 random bytes, written in hexadecimal."""


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

    public_url: str = Field(
        default="",
        description="address under which the public reaches the chat, as https://chat.example.org",
    )
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode] = Field(
        default=(),
        description="addresses or networks of the proxies whose forwarding headers are believed",
    )
    partners: Path = Field(
        default=Path("partners.toml"), description="file of the partners whose sites may embed it"
    )
    token_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        default=(),
        description="keys of the widget's tokens: the first signs, the others are still read; "
        "none takes a random one at each start",
    )
    quota_store: str = Field(
        default="memory://", description="where quotas are counted: memory:// or a Redis URL"
    )
    feedback: str = Field(
        default="sqlite:///feedback.db",
        description="database of the visitors' ratings; empty offers no rating",
    )
    running_answers: int = Field(
        default=16, ge=1, le=1000, description="answers that are written at once"
    )
    api_per_minute: int = Field(
        default=30,
        ge=0,
        le=100_000,
        description="questions a minute by one truncated address, for the chat page and the "
        "open interfaces; 0 closes the interfaces",
    )
    api_per_day: int = Field(default=2000, ge=0, le=10_000_000, description="the same for one day")

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _networks(cls, value: object) -> object:
        if not isinstance(value, tuple):
            return value
        # A plain address stands for itself alone; bits beyond the mask are a slip, and told.
        return tuple(ip_network(each) if isinstance(each, str) else each for each in value)

    # Of two for a field, pydantic runs the one that stands last first.
    @field_validator("allowed_hosts", "token_keys", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(name.strip() for name in value.split(",") if name.strip())
        return value

    @field_validator("token_keys")
    @classmethod
    def _long_enough(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if any(len(key.get_secret_value()) < _SHORTEST_KEY for key in value):
            raise ValueError(f"each key has at least {_SHORTEST_KEY} characters")
        return value

    @field_validator("public_url")
    @classmethod
    def _bare_address(cls, value: str) -> str:
        if value and not _ADDRESS.fullmatch(value):
            raise ValueError("write it as https://chat.example.org, and nothing after the host")
        return value.rstrip("/")

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
        name = str(first["loc"][0])
        reason = first["msg"].removeprefix("Value error, ")
        raise ExpectedError(
            f"The setting RAPPORTEUR_{name.upper()} can't be used: {reason}.",
            "README lists every setting with its default.",
        ) from error
