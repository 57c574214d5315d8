"""README names everything that can be set, run or made."""

import re
from pathlib import Path
from typing import Any

import pytest
from typer import Typer

from assistant.answers import Answer
from assistant.cli import app
from assistant.settings import Settings

pytest_plugins = ("web_fixtures",)

ROOT = Path(__file__).resolve().parent.parent


def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def commands(typer_app: Typer = app, before: str = "") -> list[str]:
    """The words of every command, those of a group with the group's name before."""
    own = [
        before + (command.name or str(getattr(command.callback, "__name__", "")))
        for command in typer_app.registered_commands
    ]
    for group in typer_app.registered_groups:
        if group.typer_instance is not None:
            own += commands(group.typer_instance, f"{before}{group.name or ''} ".lstrip())
    return sorted(own)


def targets() -> list[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return re.findall(r"^([a-z]+):.*##", makefile, re.MULTILINE)


@pytest.mark.parametrize("name", Settings.settings_names())
def test_every_setting_is_named(name: str) -> None:
    assert re.search(rf"\b{name}\b", readme())


@pytest.mark.parametrize("name", commands())
def test_every_command_is_named(name: str) -> None:
    assert f"rapporteur {name}" in readme()


@pytest.mark.parametrize("name", targets())
def test_every_make_target_is_named(name: str) -> None:
    assert f"make {name}" in readme()


def test_every_make_target_that_can_be_called_is_described() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = next(line for line in makefile.splitlines() if line.startswith(".PHONY:"))
    assert set(phony.split()[1:]) <= set(targets())


def test_what_it_shows_in_python_runs(
    web_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAPPORTEUR_LIBRARY", str(web_settings.library))
    monkeypatch.setenv("RAPPORTEUR_INDEX", str(web_settings.index))
    blocks = re.findall(r"^```python\n(.*?)^```", readme(), re.MULTILINE | re.DOTALL)
    (code,) = [block for block in blocks if "build_assistant()" in block]
    made: dict[str, Any] = {}
    exec(compile(code, "README.md", "exec"), made)
    assert isinstance(made["answer"], Answer)
    asked = "How often does the assembly of the islands meet?"
    assert "three times a year" in made["texts"].invoke(asked)
    filled = made["chain"].invoke(asked).to_string()
    assert "three times a year" in filled
    assert asked in filled
