"""A small library for the tests of the index, and ways to make, change and break an index."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from corpus.documents import (
    Block,
    Document,
    Passage,
    Section,
    Sentence,
    document_id,
    passage_id,
    text_digest,
)
from index.manifest import MANIFEST

TEXTS = {
    "meetings.md": """# Meetings of the assembly

## Sessions

The assembly of the islands sits three times a year. Each session lasts four weeks.

## Seats

Forty-seven islands hold a seat. Seats are shared out among five regions.
""",
    "harbour.txt": """Rules of the harbour

Boats pay a fee for every night. The harbour master keeps the list of boats.

A boat without a lamp must leave before dusk.
""",
    "garden/herbs.md": """# Herbs of the old garden

Thyme grows on the dry wall. Mint needs shade and plenty of water.
""",
}

ASKS = """
["Sessions"]
questions = ["How often does the assembly come together?"]
"""


def write_library(folder: Path, texts: dict[str, str] = TEXTS) -> Path:
    """Make `folder` hold exactly these files."""
    if folder.exists():
        shutil.rmtree(folder)
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def document(path: str, *paragraphs: str, asks: tuple[str, ...] = ()) -> tuple[Document, tuple]:
    """A document of plain paragraphs, each a passage of one sentence, without reading a file."""
    text = "\n\n".join(paragraphs)
    identity = document_id(path)
    blocks, passages = [], []
    start = 0
    for paragraph in paragraphs:
        end = start + len(paragraph)
        blocks.append(Block(kind="paragraph", start=start, end=end))
        passages.append(
            Passage(
                id=passage_id(identity, paragraph, paragraphs[: len(passages)].count(paragraph)),
                document_id=identity,
                heading=("Part",),
                text=paragraph,
                start=start,
                end=end,
                sentences=(Sentence(start=start, end=end),),
                asks=asks,
            )
        )
        start = end + 2
    section = Section(heading="", level=0, path=(), start=0, end=len(text), blocks=tuple(blocks))
    made = Document(
        id=identity,
        title=f"About {path}",
        kind="article",
        path=path,
        text=text,
        sections=(section,),
        digest=text_digest(text),
    )
    return made, tuple(passages)


def files_of(generation: Path) -> Iterator[Path]:
    """Every file of a generation but its manifest."""
    for path in sorted(generation.rglob("*")):
        if path.is_file() and path.name != MANIFEST:
            yield path


def flip(path: Path, place: int) -> None:
    """Change one bit of a file."""
    data = bytearray(path.read_bytes())
    data[place % len(data)] ^= 1
    path.write_bytes(data)
