"""README names everything that can be set, run or made."""

import re
from pathlib import Path

import pytest

from assistant.cli import app
from assistant.settings import Settings

ROOT = Path(__file__).resolve().parent.parent


def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def commands() -> list[str]:
    return sorted(
        command.name or str(getattr(command.callback, "__name__", ""))
        for command in app.registered_commands
    )


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
