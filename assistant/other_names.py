"""Names in other words: "World Court" for the International Court of Justice.

Owns the glossary beside it, and which names a question is searched by besides its own.
Knows nothing of the abbreviations that texts introduce themselves, or of scores.
"""

import re
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path

_GLOSSARY = Path(__file__).with_name("other_names.toml")


def other_names(text: str, held: Callable[[str], bool]) -> tuple[str, ...]:
    """The names that a library has for what `text` calls otherwise, in the glossary's order.

    `held` says whether a name stands in the library. The reverse, an everyday name for
    one that the asker uses, is given only where the library does not know the asker's.
    """
    folded = text.replace("’", "'")
    found: dict[str, None] = {}
    for other, name in _names():
        if _pattern(other).search(folded):
            if name.casefold() not in folded.casefold() and held(name):
                found[name] = None
        elif _pattern(name).search(folded) and not held(name) and held(other):
            found[other] = None
    return tuple(found)


@cache
def _names() -> tuple[tuple[str, str], ...]:
    tables = tomllib.loads(_GLOSSARY.read_text(encoding="utf-8"))
    return tuple((other, name) for table in tables.values() for other, name in table.items())


@cache
def _pattern(name: str) -> re.Pattern[str]:
    """Finds a name as a whole, or its plural or genitive; one in lower case in any case."""
    flags = re.IGNORECASE if name.islower() else 0
    return re.compile(rf"\b{re.escape(name)}(?:s|'s|s')?(?!\w)", flags)
