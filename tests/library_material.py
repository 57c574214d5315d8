"""A small library of made-up towns that keeps every rule, for tests to break; and the real one."""

from pathlib import Path

from corpus.library import scan
from corpus.reading import read_document
from corpus.splitting import split
from corpus.validation import Problem
from index.catalogue import Catalogue

TOWNS = ("arland", "borland", "corland")
KEEPERS = str.split("baker miller potter weaver carter farmer sailor tailor mason cooper")
THINGS = str.split("bread flour bowls cloth wheels corn ropes coats stones")
SECTIONS = {"": "the hill", "The market": "the square", "The harbour": "the pier"}
HEADINGS = ("", "The market", "The harbour", "The customs")

TEXT = """---
title: The town of {Name}
kind: institution
as_of: 2026-02
sources:
- publisher: Town council of {Name}
  symbol: T/{name}/1
- publisher: Town archive
  address: https://archive.example.org/{name}
related:
- {others[0]}.md
- {others[1]}.md
status: original text by the project
---

# The town of {Name}

{body}

## The customs

People of {Name} keep two customs:

- the spring fair of {Name}, with music on the first evening of May;
- the long night of {Name}, with lights in every window.

{Name} closes its gates late.

## Sources

- Town council of {Name}, T/{name}/1
- Town archive, https://archive.example.org/{name}

## See also

- {others[0]}.md
- {others[1]}.md
"""


SHIPPED = Path(__file__).resolve().parent.parent / "corpus" / "texts"


def shipped() -> Catalogue:
    """What an index of the library that ships would hold."""
    read = [read_document(source, SHIPPED) for source in scan(SHIPPED)]
    return Catalogue((document, split(document)) for document in read)


def paragraphs(town: str) -> str:
    """Over 450 plain words, each sentence the town's own."""
    parts = []
    for heading, place in SECTIONS.items():
        lines = [
            f"The {keeper} of {town} sells {thing} near {place} before noon."
            for keeper in KEEPERS
            for thing in THINGS
            if (KEEPERS.index(keeper) + THINGS.index(thing)) % 6 == len(heading) % 6
        ]
        parts += [f"## {heading}"] if heading else []
        parts += [" ".join(lines[start : start + 5]) for start in range(0, len(lines), 5)]
    return "\n\n".join(parts)


def questions(town: str) -> str:
    """Three questions for each section."""
    tables = []
    for heading in HEADINGS:
        asked = [
            f'  "{word} {town} {heading or "the town"}?",'
            for word in ("Where in", "When in", "Who in")
        ]
        tables.append("\n".join([f'["{heading}"]', "questions = [", *asked, "]"]))
    return "\n\n".join(tables) + "\n"


def write_library(folder: Path) -> Path:
    """Write the three documents and their question files into `folder`."""
    folder.mkdir()
    for name in TOWNS:
        others = [other for other in TOWNS if other != name]
        town = name.capitalize()
        text = TEXT.format(Name=town, name=name, others=others, body=paragraphs(town))
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
        (folder / f"{name}.questions.toml").write_text(questions(town), encoding="utf-8")
    return folder


def change(library: Path, name: str, old: str, new: str) -> None:
    """Put `new` for `old`, which is there, in a file of the library."""
    text = (library / name).read_text(encoding="utf-8")
    assert old in text
    (library / name).write_text(text.replace(old, new), encoding="utf-8")


def told(problems: tuple[Problem, ...]) -> str:
    """The problems as one text, a line each."""
    return "\n".join(
        f"{problem.path}:{problem.line}: {problem.message}  {problem.hint}" for problem in problems
    )
