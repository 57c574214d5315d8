"""The providers of chat models, and what each is told.

Owns the form of a model's name, the options by which time limits, the bound in
tokens and "follow no redirect" are set for each provider, and the errors of a
setting that can't be used. Nothing is sent from here.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from urllib.parse import quote, urlsplit

from langchain.chat_models import init_chat_model
from langchain_core.language_models import BaseChatModel

from assistant.model_limits import ModelLimits
from corpus.errors import ExpectedError

LOCAL = "huggingface"
"""The provider whose models run in this process."""

FORM = "openai:MODEL, anthropic:MODEL, ollama:MODEL or huggingface:FOLDER"

# Tokens of prompt and answer together. Ollama's own default is smaller than the
# evidence, and it then drops the beginning of the prompt without a word.
_OLLAMA_WINDOW = 8192
_READ_CHUNK = "_convert_chunk_to_generation_chunk"
_ANTHROPIC_VERSION = "2023-06-01"


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A chat model ready to be called.

    name: as it may be shown; bounded: the options of one call for a bound in tokens;
    listing: the address at which its server says what models it has, empty for a model in
    this process; headers: what that address wants to be sent, the key among it.
    """

    name: str
    chat: BaseChatModel
    bounded: Callable[[int], Mapping[str, Any]]
    listing: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class _Wanted:
    model: str
    base_url: str
    api_key: str
    limits: ModelLimits


def open_provider(name: str, base_url: str, api_key: str, limits: ModelLimits) -> Opened:
    """The provider's chat model for `name`, "provider:model". Raises `ExpectedError`."""
    provider, _, model = name.partition(":")
    if provider not in _PROVIDERS or not model:
        raise ExpectedError(f"The chat model {name!r} is not known.", f"Write {FORM}.")
    if base_url and (urlsplit(base_url).scheme not in ("http", "https") or "//" not in base_url):
        raise ExpectedError(
            f"The address {base_url!r} of the chat model can't be used.",
            "Write it with http:// or https://, as http://127.0.0.1:8000/v1.",
        )
    wanted = _Wanted(model=model, base_url=base_url, api_key=api_key, limits=limits)
    return _PROVIDERS[provider](wanted)


def _needs(package: str, extra: str) -> None:
    if find_spec(package) is None:
        raise ExpectedError(
            f"The chat models of {extra} need a package that is not installed.",
            f"Run: pip install 'rapporteur[{extra}]'",
        )


def _key(wanted: _Wanted, variable: str) -> str:
    """The key to send.

    The key in the provider's own variable belongs to that provider, so it does not go
    to another address; most servers at such an address want none.
    """
    if wanted.api_key:
        return wanted.api_key
    if wanted.base_url:
        return "none"
    key = os.environ.get(variable, "")
    if not key:
        raise ExpectedError(
            "The chat model needs a key.", f"Set {variable}, or RAPPORTEUR_CHAT_MODEL_KEY."
        )
    return key


def _client(package: Any, limits: ModelLimits) -> dict[str, Any]:
    """HTTP client and times for the official packages of OpenAI and Anthropic.

    A redirect would send the prompt and the key to an address that nobody set.
    """
    times = package.Timeout(limits.first_token_s, connect=limits.connect_s)
    http = package.DefaultAsyncHttpxClient(follow_redirects=False, timeout=times)
    return {"http_client": http, "timeout": times}


def _openai(wanted: _Wanted) -> Opened:
    _needs("langchain_openai", "openai")
    options = _client(import_module("openai"), wanted.limits)
    key = _key(wanted, "OPENAI_API_KEY")
    chat: Any = init_chat_model(
        wanted.model,
        model_provider="openai",
        base_url=wanted.base_url or None,
        api_key=key,
        max_retries=0,
        timeout=options["timeout"],
        http_async_client=options["http_client"],
        # The likeliest words; models that reason take no such wish.
        temperature=None if re.match(r"o\d", wanted.model) else 0,
        use_responses_api=False,
        # Our own limit ends a pause; with theirs, a call that is ended may run on.
        stream_chunk_timeout=0,
    )

    # It passes the pieces of a refusal over, which would look like an answer without words.
    vars(chat)[_READ_CHUNK] = _with_refusals(getattr(chat, _READ_CHUNK))

    def bounded(tokens: int) -> Mapping[str, Any]:
        # OpenAI renamed the option; the servers that speak its protocol know the old name.
        if wanted.base_url:
            return {"extra_body": {"max_tokens": tokens}}
        return {"max_tokens": tokens}

    return Opened(
        name=f"openai:{wanted.model}",
        chat=chat,
        bounded=bounded,
        listing=_below(chat.root_async_client.base_url, "models"),
        headers={"Authorization": f"Bearer {key}"},
    )


def _with_refusals(read_chunk: Callable[..., Any]) -> Callable[..., Any]:
    """How a piece of a stream is read, with the refusal in it kept as in a whole answer."""

    def read(chunk: dict[str, Any], *more: Any) -> Any:
        made = read_chunk(chunk, *more)
        for choice in chunk.get("choices") or ():
            refused = (choice.get("delta") or {}).get("refusal")
            if refused and made is not None:
                made.message.additional_kwargs["refusal"] = refused
        return made

    return read


def _anthropic(wanted: _Wanted) -> Opened:
    _needs("langchain_anthropic", "anthropic")
    key = _key(wanted, "ANTHROPIC_API_KEY")
    chat: Any = init_chat_model(
        wanted.model,
        model_provider="anthropic",
        base_url=wanted.base_url or None,
        api_key=key,
        max_retries=0,
        max_tokens=wanted.limits.most_tokens,
    )
    # It takes no HTTP client as an option; it keeps the one it calls in this place.
    options = _client(import_module("anthropic"), wanted.limits)
    vars(chat)["_async_client"] = chat._async_client.with_options(**options)
    return Opened(
        name=f"anthropic:{wanted.model}",
        chat=chat,
        bounded=lambda tokens: {"max_tokens": tokens},
        # The one model: names such as "…-latest" stand in no list.
        listing=_below(chat._async_client.base_url, f"v1/models/{quote(wanted.model, safe='')}"),
        headers={"x-api-key": key, "anthropic-version": _ANTHROPIC_VERSION},
    )


def _ollama(wanted: _Wanted) -> Opened:
    _needs("langchain_ollama", "ollama")
    limits = wanted.limits
    times = (limits.connect_s, limits.first_token_s, limits.first_token_s, limits.connect_s)
    client: dict[str, Any] = {"timeout": times, "follow_redirects": False}
    if wanted.api_key:
        client["headers"] = {"Authorization": f"Bearer {wanted.api_key}"}
    chat: Any = init_chat_model(
        wanted.model,
        model_provider="ollama",
        base_url=wanted.base_url or None,
        client_kwargs=client,
        reasoning=False,
    )
    return Opened(
        name=f"ollama:{wanted.model}",
        chat=chat,
        bounded=lambda tokens: {
            "options": {"num_predict": tokens, "num_ctx": _OLLAMA_WINDOW, "temperature": 0}
        },
        listing=_below(chat._async_client._client.base_url, "api/tags"),
        headers=client.get("headers", {}),
    )


def _below(base: object, path: str) -> str:
    return f"{str(base).rstrip('/')}/{path}"


def _huggingface(wanted: _Wanted) -> Opened:
    if wanted.base_url:
        raise ExpectedError(
            "A huggingface: model runs on this computer and has no address.",
            "Leave the address empty, or name the model openai:MODEL to use a server.",
        )
    from assistant.local_model import load_local_model, shown_name

    return Opened(
        name=f"{LOCAL}:{shown_name(wanted.model)}",
        chat=load_local_model(wanted.model),
        bounded=lambda tokens: {"max_tokens": tokens},
    )


_PROVIDERS: dict[str, Callable[[_Wanted], Opened]] = {
    "openai": _openai, "anthropic": _anthropic, "ollama": _ollama, LOCAL: _huggingface,
}  # fmt: skip
