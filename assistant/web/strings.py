"""The widget's words in each language: the tables of `strings.toml`, checked, as plain data.

Owns which languages there are and how each is written. Knows nothing of partners, of
requests and of what an answer says.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

LANGUAGES = ("en", "fr", "es", "ar", "ru", "zh")
"""The interface languages, by their ISO 639-1 codes."""

_RIGHT_TO_LEFT = frozenset({"ar"})

_FILE = Path(__file__).parent / "strings.toml"

_LAUNCHER = "launcher_"
_OWN_NAME = "own_name"


@cache
def _tables() -> Mapping[str, Mapping[str, str]]:
    return MappingProxyType(tomllib.loads(_FILE.read_text(encoding="utf-8")))


def strings(lang: str) -> dict[str, str]:
    """The words of the widget's page in a language, by key; what stands in {braces} is filled in.

    Raises `KeyError` when there is no such language.
    """
    words = _tables()[lang]
    return {
        key: text
        for key, text in words.items()
        if key != _OWN_NAME and not key.startswith(_LAUNCHER)
    }


def own_name(lang: str) -> str:
    """What a language calls itself, as `Français`. Raises `KeyError` as `strings` does."""
    return _tables()[lang][_OWN_NAME]


def launcher_strings(lang: str) -> dict[str, str]:
    """The words of the button in a partner's page, by key. Raises `KeyError` as `strings` does."""
    words = _tables()[lang]
    return {
        key.removeprefix(_LAUNCHER): text
        for key, text in words.items()
        if key.startswith(_LAUNCHER)
    }


def direction(lang: str) -> str:
    """The direction in which a language is written, `ltr` or `rtl`, as HTML's `dir` names it."""
    return "rtl" if lang in _RIGHT_TO_LEFT else "ltr"
