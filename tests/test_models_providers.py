"""The providers: each through its own package, its key, its address, its limits."""

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from model_material import HONEST, KEY, PROMPT, outcome
from model_server import ModelServer, model_server

from assistant.models import ChatModel, ModelFault, ModelLimits, load_chat_model
from corpus.errors import ExpectedError

PROVIDERS = pytest.mark.parametrize("provider", ["openai", "anthropic", "ollama"])
WAYS = pytest.mark.parametrize("streamed", [True, False], ids=["streamed", "whole"])
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with model_server() as running:
        yield running


def model_at(server: ModelServer, provider: str, api_key: str = KEY, **times: float) -> ChatModel:
    """The provider's model at the server's address, as that provider writes it."""
    return load_chat_model(
        f"{provider}:test",
        base_url=server.url if provider == "openai" else server.address,
        api_key=api_key,
        limits=ModelLimits(**times),  # type: ignore[arg-type]
    )


@PROVIDERS
@WAYS
def test_an_answer_comes_whole(server: ModelServer, provider: str, streamed: bool) -> None:
    assert outcome(model_at(server, provider), streamed) == (HONEST, None)
    assert server.calls == 1
    assert KEY in server.keys[0]


@PROVIDERS
@pytest.mark.parametrize(
    ("mode", "fault"),
    [
        ("401", ModelFault.KEY_REFUSED),
        ("404", ModelFault.NO_SUCH_MODEL),
        ("429", ModelFault.BUSY),
        ("500", ModelFault.ERROR),
        ("cut", ModelFault.BROKEN),
        ("cut early", ModelFault.BROKEN),
        ("cut without finish", ModelFault.BROKEN),
        ("length", ModelFault.TOO_LONG),
        ("empty", ModelFault.EMPTY),
        ("html page", ModelFault.BROKEN),
    ],
)
@WAYS
def test_failures_are_named_and_cost_one_call(
    server: ModelServer, provider: str, mode: str, fault: ModelFault, streamed: bool
) -> None:
    server.mode = mode
    assert outcome(model_at(server, provider), streamed)[1] is fault
    assert server.calls == 1


@PROVIDERS
def test_a_redirect_is_not_followed(server: ModelServer, provider: str) -> None:
    server.mode = "redirect"
    assert outcome(model_at(server, provider))[1] is ModelFault.ERROR
    assert (server.calls, server.elsewhere) == (1, 0)


@PROVIDERS
def test_no_server_there(provider: str) -> None:
    with model_server() as server:
        model = model_at(server, provider)
    assert outcome(model) == ("", ModelFault.UNREACHABLE)


@PROVIDERS
@pytest.mark.parametrize("mode", ["stall", "stall amid", "drip"])
def test_a_slow_answer_is_given_up(server: ModelServer, provider: str, mode: str) -> None:
    server.mode = mode
    server.drip_s = 0.1
    assert outcome(model_at(server, provider, total_s=0.5))[1] is ModelFault.SLOW
    assert server.idle()


@PROVIDERS
def test_closing_the_stream_ends_the_call(server: ModelServer, provider: str) -> None:
    server.mode = "loop"
    stream = model_at(server, provider).stream(PROMPT)
    assert next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert server.idle()


def test_each_is_told_how_long_an_answer_may_be(server: ModelServer) -> None:
    for provider in ("openai", "anthropic", "ollama"):
        outcome(model_at(server, provider, most_tokens=77))
    openai, anthropic, ollama = server.requests
    assert (openai["max_tokens"], anthropic["max_tokens"]) == (77, 77)
    assert ollama["options"]["num_predict"] == 77
    # Enough for the evidence: a smaller window drops the rules without a word.
    assert ollama["options"]["num_ctx"] >= 8192


@pytest.mark.parametrize("name", ["o3-mini", "gpt-5"])
def test_models_that_reason_are_asked_without_a_temperature(server: ModelServer, name: str) -> None:
    assert outcome(load_chat_model(f"openai:{name}", base_url=server.url)) == (HONEST, None)
    assert "temperature" not in server.requests[0]


@pytest.fixture
def unanswered() -> Iterator[str]:
    """An address that takes no more connections: its queue is full."""
    with contextlib.ExitStack() as opened:
        listening = opened.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(4):
            waiting = opened.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@PROVIDERS
def test_connecting_has_a_limit_of_its_own(unanswered: str, provider: str) -> None:
    limits = ModelLimits(connect_s=0.3, first_token_s=1e6, total_s=1e6)
    model = load_chat_model(f"{provider}:test", base_url=unanswered, api_key=KEY, limits=limits)
    assert outcome(model) == ("", ModelFault.SLOW)


@pytest.mark.parametrize(
    ("provider", "variable"), [("openai", "OPENAI_API_KEY"), ("anthropic", "ANTHROPIC_API_KEY")]
)
def test_a_providers_own_key_goes_to_no_other_address(
    server: ModelServer, provider: str, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "sk-of-the-provider")
    assert outcome(model_at(server, provider, api_key="")) == (HONEST, None)
    assert "sk-of-the-provider" not in server.keys[0]


@pytest.mark.parametrize(
    ("provider", "variable"), [("openai", "OPENAI_API_KEY"), ("anthropic", "ANTHROPIC_API_KEY")]
)
def test_a_missing_key_is_named(
    provider: str, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(variable, raising=False)
    with pytest.raises(ExpectedError, match=f"Set {variable}, or RAPPORTEUR_CHAT_MODEL_KEY"):
        load_chat_model(f"{provider}:test")
    monkeypatch.setenv(variable, "sk-of-the-provider")
    assert load_chat_model(f"{provider}:test").name == f"{provider}:test"


@pytest.mark.parametrize("name", ["", "gpt-4o-mini", "openai:", ":x", "azure:gpt", "OPENAI:x"])
def test_a_name_of_another_form_is_refused(name: str) -> None:
    with pytest.raises(ExpectedError, match="openai:MODEL, anthropic:MODEL, ollama:MODEL or"):
        load_chat_model(name)


@pytest.mark.parametrize("address", ["127.0.0.1:8000", "file:///etc", "http:/x", "localhost/v1"])
def test_an_address_of_another_form_is_refused(address: str) -> None:
    with pytest.raises(ExpectedError, match="Write it with http:// or https://"):
        load_chat_model("openai:x", base_url=address)


# A finder that knows nothing of one package, as where it is not installed.
WITHOUT = """
import importlib.util, sys
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name == {package!r} else find(name, *more)
from assistant.models import load_chat_model
from corpus.errors import ExpectedError
try:
    load_chat_model({name!r})
except ExpectedError as error:
    print(error)
"""


@PROVIDERS
def test_a_missing_package_is_named_with_its_install_line(provider: str) -> None:
    script = WITHOUT.format(package=f"langchain_{provider}", name=f"{provider}:test")
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert f"Run: pip install 'rapporteur[{provider}]'" in ran.stdout


def test_loading_a_provider_loads_no_other() -> None:
    script = (
        "import sys; from assistant.models import load_chat_model;"
        "load_chat_model('openai:x', base_url='http://127.0.0.1:1/v1');"
        "print(sorted({'anthropic', 'ollama', 'torch', 'transformers'} & set(sys.modules)))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "[]"
