"""Whether the chat model that is set could write: its setting in, a finding out.

Owns the one request by which a server is looked at: it lists the models that it has, which
costs nothing. No answer is asked of a model, no weights are loaded, no key is shown.
"""

import json
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from queue import Empty, SimpleQueue
from typing import Any

from assistant.checks import Check, State, shown_address
from assistant.model_limits import ModelLimits
from assistant.providers import LOCAL, Opened, open_provider
from assistant.settings import Settings
from corpus.errors import ExpectedError

NAME = "chat model"

_SECONDS = 5.0
_MOST_BYTES = 4 << 20
_MOST_NAMED = 5
_QUOTATIONS = "answers are exact quotations"


@dataclass(frozen=True, kw_only=True)
class _Answered:
    """What a server answered: the status of HTTP, and the models that it lists, if it does."""

    status: int
    models: tuple[str, ...] = ()


def check_chat_model(settings: Settings) -> Check:
    """Which chat model is set, and whether it could be asked. Takes a few seconds at most."""
    model = settings.chat_model.strip()
    if not model:
        return _check("ok", f"none is set: {_QUOTATIONS}")
    if settings.mode == "quotation":
        return _check("ok", f"{model} is set, but RAPPORTEUR_MODE=quotation: {_QUOTATIONS}")
    url = settings.chat_model_url.strip()
    try:
        if model.startswith(f"{LOCAL}:") and not url:
            return _on_this_computer(model)
        key = settings.chat_model_key.get_secret_value()
        opened = open_provider(model, url, key, ModelLimits())
    except ExpectedError as error:
        return _check("fix", f"{model}: {shown_address(error.message)}", error.hint)
    return _at_its_server(opened)


def _on_this_computer(model: str) -> Check:
    from assistant.local_model import look_at_local_model

    name = look_at_local_model(model.partition(":")[2])
    return _check("ok", f"{LOCAL}:{name} is on this computer; it is loaded when the chat starts")


def _at_its_server(opened: Opened) -> Check:
    where = f"{opened.name} at {shown_address(opened.listing)}"
    if shown_address(opened.listing) != opened.listing:
        return _check(
            "note",
            f"{where} was not tried, since its address holds a name or a password",
            "Ask a question: a notice under the answer says so if the model can't be reached.",
        )
    answered = _asked(opened)
    if answered is None:
        return _check(
            "fix",
            f"{where} could not be reached",
            f"Start its server, or correct RAPPORTEUR_CHAT_MODEL_URL. Until then {_QUOTATIONS}.",
        )
    if answered.status in (401, 402, 403):
        return _check(
            "fix",
            f"{where} refuses the key (HTTP {answered.status})",
            "Correct RAPPORTEUR_CHAT_MODEL_KEY, or the key in the provider's own variable.",
        )
    if answered.status != 200:
        return _check(
            "note",
            f"{where} is reached, but answers HTTP {answered.status}",
            "Ask a question: a notice under the answer says what the model can't do.",
        )
    model = opened.name.partition(":")[2]
    if answered.models and not {model, f"{model}:latest"} & set(answered.models):
        known = ", ".join(answered.models[:_MOST_NAMED])
        more = " and others" if len(answered.models) > _MOST_NAMED else ""
        return _check(
            "note",
            f"{where} is reached, but does not list this model",
            f"Correct the name in RAPPORTEUR_CHAT_MODEL. Listed are {known}{more}.",
        )
    return _check("ok", f"{where} is reached")


def _asked(opened: Opened) -> _Answered | None:
    """What the server answers; None where nothing comes in time, however slowly it speaks."""
    came: SimpleQueue[_Answered | None] = SimpleQueue()
    threading.Thread(target=lambda: came.put(_read(opened)), daemon=True).start()
    try:
        return came.get(timeout=_SECONDS)
    except Empty:
        return None


def _read(opened: Opened) -> _Answered | None:
    request = urllib.request.Request(opened.listing, headers=dict(opened.headers))
    opener = urllib.request.build_opener(_Stay())
    try:
        with opener.open(request, timeout=_SECONDS) as answer:
            models = _models(answer.read(_MOST_BYTES))
            return _Answered(status=answer.status, models=models)
    except urllib.error.HTTPError as error:
        return _Answered(status=error.code)
    except (OSError, HTTPException, ValueError):
        return None


def _models(body: bytes) -> tuple[str, ...]:
    """The names in a list of models, as OpenAI's protocol or Ollama's gives them."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return ()
    if not isinstance(told, dict):
        return ()
    listed = told.get("data") or told.get("models")
    rows = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return tuple(str(one.get("id") or one.get("name") or "") for one in rows)


class _Stay(urllib.request.HTTPRedirectHandler):
    """A redirect would take the key to an address that nobody set."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow none: the redirect is the answer."""


def _check(state: State, found: str, todo: str = "") -> Check:
    return Check(name=NAME, state=state, found=found, todo=todo)
