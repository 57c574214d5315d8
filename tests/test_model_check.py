"""What the doctor says of the chat model: which is set, and whether it could be asked."""

import subprocess
import sys
from pathlib import Path

import pytest
from model_server import ModelServer, model_server
from test_local_model import tiny_model

from assistant.checks import Check
from assistant.doctor import examine
from assistant.model_check import check_chat_model
from assistant.settings import Settings

KEY = "sk-our-own-secret-key"
ROOT = Path(__file__).resolve().parent.parent

PROVIDERS = pytest.mark.parametrize("provider", ["openai", "anthropic", "ollama"])


@pytest.fixture
def server():
    with model_server() as running:
        yield running


def checked(
    server: ModelServer, provider: str, mode: str = "honest", model: str = "test", **more: str
) -> Check:
    server.mode = mode
    address = server.url if provider == "openai" else server.address
    return check_chat_model(
        Settings(
            **{
                "chat_model": f"{provider}:{model}",
                "chat_model_url": address,
                "chat_model_key": KEY,
                **more,
            }  # type: ignore[arg-type]
        )
    )


@PROVIDERS
def test_a_server_is_looked_at_and_asked_nothing(server: ModelServer, provider: str) -> None:
    found = checked(server, provider)
    assert found.state == "ok"
    assert f"{provider}:test at http://127.0.0.1" in found.found
    assert found.found.endswith("is reached")
    assert len(server.looks) == 1
    assert KEY in server.keys[0]
    assert server.calls == 0
    assert KEY not in str(found)


@PROVIDERS
@pytest.mark.parametrize(
    ("mode", "state", "told"),
    [
        ("401", "fix", "refuses the key (HTTP 401)"),
        ("403", "fix", "refuses the key (HTTP 403)"),
        ("404", "note", "answers HTTP 404"),
        ("500", "note", "answers HTTP 500"),
        ("redirect", "note", "answers HTTP 307"),
    ],
)
def test_what_is_wrong_there_is_told(
    server: ModelServer, provider: str, mode: str, state: str, told: str
) -> None:
    found = checked(server, provider, mode)
    assert found.state == state
    assert told in found.found
    assert found.todo
    assert server.elsewhere == 0
    assert KEY not in str(found)


@pytest.mark.parametrize("provider", ["openai", "ollama"])
def test_a_model_that_its_server_does_not_list_is_told(server: ModelServer, provider: str) -> None:
    found = checked(server, provider, model="gpt-9")
    assert found.state == "note"
    assert "does not list this model" in found.found
    assert "Listed are test" in found.todo


def test_a_server_that_lists_nothing_is_reached(server: ModelServer) -> None:
    assert checked(server, "openai", "html page").state == "ok"


@PROVIDERS
def test_no_server_there(server: ModelServer, provider: str) -> None:
    server.close()
    found = checked(server, provider)
    assert found.state == "fix"
    assert "could not be reached" in found.found
    assert "RAPPORTEUR_CHAT_MODEL_URL" in found.todo


def test_a_server_that_says_nothing_is_not_waited_for(server: ModelServer) -> None:
    assert "could not be reached" in checked(server, "openai", "stall").found


def test_an_address_is_shown_without_its_password(server: ModelServer) -> None:
    address = server.url.replace("//", "//user:hunter2@")
    settings = Settings(
        chat_model="openai:test",
        chat_model_url=address,
        quota_store="redis://:hunter2@127.0.0.1:1",
        token_keys=("hunter2" * 8,),  # type: ignore[arg-type]
        trusted_proxies=("10.0.0.0/8",),  # type: ignore[arg-type]
        index=ROOT / "no-such-index",
    )
    shown = {check.name: check for check in examine(settings)}
    assert "hunter2" not in str(shown)
    assert "//***@127.0.0.1" in shown["chat model"].found
    assert "was not tried" in shown["chat model"].found
    assert shown["RAPPORTEUR_TRUSTED_PROXIES"].found == "10.0.0.0/8"


@pytest.mark.parametrize(
    ("setting", "found"),
    [
        ({}, "none is set: answers are exact quotations"),
        (
            {"chat_model": "openai:x", "mode": "quotation"},
            "openai:x is set, but RAPPORTEUR_MODE=quotation: answers are exact quotations",
        ),
    ],
)
def test_without_a_model_answers_are_quotations(setting: dict, found: str) -> None:
    assert check_chat_model(Settings(**setting)) == Check(
        name="chat model", state="ok", found=found
    )


def test_a_setting_that_cannot_be_used_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert "not known" in check_chat_model(Settings(chat_model="nonsense")).found
    found = check_chat_model(Settings(chat_model="openai:test"))
    assert (found.state, found.found) == ("fix", "openai:test: The chat model needs a key.")
    assert "OPENAI_API_KEY" in found.todo


def test_a_missing_package_is_told_with_its_install_line() -> None:
    script = (
        "import importlib.util as u; find = u.find_spec\n"
        "u.find_spec = lambda name, *more: None if name == 'langchain_ollama' else find(name)\n"
        "from assistant.model_check import check_chat_model\n"
        "from assistant.settings import Settings\n"
        "print(check_chat_model(Settings(chat_model='ollama:x')))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "a package that is not installed" in ran.stdout
    assert "pip install 'rapporteur[ollama]'" in ran.stdout


def test_a_model_on_this_computer_is_found_and_not_loaded(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "tiny-chat")
    # Not weights at all: what is only looked at is not read.
    (folder / "model.safetensors").write_bytes(b"cut short")
    found = check_chat_model(Settings(chat_model=f"huggingface:{folder}"))
    assert found.state == "ok"
    assert "huggingface:tiny-chat is on this computer" in found.found
    absent = check_chat_model(Settings(chat_model="huggingface:nobody/no-such-model"))
    assert absent.state == "fix"
    assert "hf download nobody/no-such-model" in absent.todo
