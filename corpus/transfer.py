"""`Document` ↔ plain JSON values, for the way from the reading child to its parent.

Owns the shape of that JSON and checks it: what comes from a child that read a hostile file is
outside data.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from corpus.documents import Block, Document, Notice, PointedQuestion, Section, StatedDifference


def document_to_json(document: Document) -> dict[str, Any]:
    """`document` as values that `json.dumps` takes."""
    return asdict(document)


def document_from_json(values: Any) -> Document:
    """The document that `document_to_json` described; raises `ValueError` for anything else."""
    try:
        sections = tuple(_section(section) for section in values["sections"])
        texts = {
            key: _text(values[key])
            for key in (
                "id",
                "title",
                "kind",
                "path",
                "text",
                "digest",
                "url",
                "publisher",
                "published",
                "language",
            )
        }
        document = Document(
            **texts,
            sections=sections,
            notices=tuple(
                Notice(kind=_text(notice["kind"]), text=_text(notice["text"]))
                for notice in values["notices"]
            ),
            differences=tuple(
                StatedDifference(**{key: _text(stated[key]) for key in stated})
                for stated in values["differences"]
            ),
            asks=tuple(
                (_text(heading), tuple(map(_text, questions)))
                for heading, questions in values["asks"]
            ),
            pointed=tuple(
                PointedQuestion(**{key: _text(one[key]) for key in one})
                for one in values["pointed"]
            ),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a document: {error}") from error
    _check_offsets(document)
    return document


def _section(values: Mapping[str, Any]) -> Section:
    return Section(
        heading=_text(values["heading"]),
        level=int(values["level"]),
        path=tuple(map(_text, values["path"])),
        start=int(values["start"]),
        end=int(values["end"]),
        blocks=tuple(
            Block(kind=block["kind"], start=int(block["start"]), end=int(block["end"]))
            for block in values["blocks"]
        ),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} where text should be")
    return value


def _check_offsets(document: Document) -> None:
    reached = 0
    for section in document.sections:
        ends = [(section.start, section.start + len(section.heading))] if section.heading else []
        for start, end in (*ends, *((block.start, block.end) for block in section.blocks)):
            if not reached <= start < end <= len(document.text):
                raise ValueError("offsets outside the text")
            reached = end
