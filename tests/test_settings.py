"""The settings of a server for the public: how they are written, and what is refused."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from assistant.settings import Settings, load_settings
from corpus.errors import ExpectedError

KEY, OLDER = "k" * 32, "o" * 40


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting from outside."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.settings_names():
        monkeypatch.delenv(name, raising=False)


def test_nobody_is_trusted_and_nothing_is_kept_by_default() -> None:
    settings = load_settings()
    assert settings.trusted_proxies == ()
    assert settings.token_keys == ()
    assert settings.public_url == ""
    assert settings.quota_store == "memory://"


def test_lists_are_written_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPPORTEUR_TRUSTED_PROXIES", "10.0.0.0/8, 2001:db8::1 ,")
    monkeypatch.setenv("RAPPORTEUR_TOKEN_KEYS", f"{KEY},{OLDER}")
    settings = load_settings()
    assert settings.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("2001:db8::1/128"))
    assert [key.get_secret_value() for key in settings.token_keys] == [KEY, OLDER]


def test_a_public_address_loses_its_last_slash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPPORTEUR_PUBLIC_URL", "https://chat.example.org:8443/")
    assert load_settings().public_url == "https://chat.example.org:8443"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TRUSTED_PROXIES", "*"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("TRUSTED_PROXIES", "10.0.0.1,proxy.example"),
        ("TOKEN_KEYS", "too-short-a-key"),
        ("TOKEN_KEYS", f"{KEY},too-short-a-key"),
        ("PUBLIC_URL", "chat.example.org"),
        ("PUBLIC_URL", "ftp://chat.example.org"),
        ("PUBLIC_URL", "https://chat.example.org/chat"),
        ("PUBLIC_URL", "https://user:pw@chat.example.org"),
        ("PUBLIC_URL", "https://chat.example.org?x"),
        ("PUBLIC_URL", "https://chat.example.org:99999"),
        ("PUBLIC_URL", 'https://"><script>'),
        ("RUNNING_ANSWERS", "0"),
        ("API_PER_MINUTE", "-1"),
    ],
)
def test_what_cant_be_used_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"RAPPORTEUR_{name}", value)
    with pytest.raises(ExpectedError, match=f"RAPPORTEUR_{name} can't be used") as refused:
        load_settings()
    assert "too-short-a-key" not in str(refused.value)


def test_keys_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPPORTEUR_TOKEN_KEYS", KEY)
    assert KEY not in repr(load_settings())
