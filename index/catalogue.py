"""What an index holds, as text: every document and passage, by id.

Owns their form on disk (JSON lines, one document a line). Knows nothing of
vectors, of generations or of the files the documents came from.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Any

from corpus.documents import Document, Passage, Sentence
from corpus.splitting import notice_passages
from corpus.transfer import document_from_json, document_to_json
from index.errors import IndexDamaged

Entry = tuple[Document, tuple[Passage, ...]]


class Catalogue:
    """Documents and their passages, in stable order: that of the library, then of the text."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        """Takes each document with its passages. Raises `ValueError` when an id comes twice."""
        documents: dict[str, Document] = {}
        passages: dict[str, Passage] = {}
        of_document: dict[str, tuple[Passage, ...]] = {}
        for document, its_passages in entries:
            if document.id in documents:
                raise ValueError(f"two documents have the id {document.id}")
            documents[document.id] = document
            of_document[document.id] = tuple(its_passages)
            for passage in its_passages:
                if passage.id in passages:
                    raise ValueError(f"two passages have the id {passage.id}")
                if document.text[passage.start : passage.end] != passage.text:
                    raise ValueError(f"the passage {passage.id} isn't where it says it is")
                passages[passage.id] = passage
        self.documents: Mapping[str, Document] = MappingProxyType(documents)
        self.passages: Mapping[str, Passage] = MappingProxyType(passages)
        self._of_document = of_document

    def passages_of(self, document_id: str) -> tuple[Passage, ...]:
        """The passages of a document in order; `KeyError` for an unknown one."""
        return self._of_document[document_id]

    def document_of(self, passage_id: str) -> Document:
        """The document that a passage stands in; `KeyError` for an unknown one."""
        return self.documents[self.passages[passage_id].document_id]

    def notices_of(self, document_id: str) -> tuple[Passage, ...]:
        """What a document says of itself, as passages that no search finds."""
        return notice_passages(self.documents[document_id])

    def passage(self, passage_id: str) -> Passage:
        """A passage by its id, notices included; `KeyError` for an unknown one."""
        if passage_id in self.passages:
            return self.passages[passage_id]
        # Its first part is the id of its document.
        document_id = passage_id.rsplit("-", 2)[0]
        for notice in self.notices_of(document_id):
            if notice.id == passage_id:
                return notice
        raise KeyError(passage_id)

    def entries(self) -> Iterable[Entry]:
        """Each document with its passages, in order."""
        return ((doc, self._of_document[doc.id]) for doc in self.documents.values())

    def save(self, path: Path) -> None:
        """Write the catalogue to the file `path`, replacing it."""
        with path.open("w", encoding="utf-8", newline="\n") as stream:
            for document, passages in self.entries():
                rows = [asdict(passage) for passage in passages]
                for row in rows:
                    # Cut from the document on loading, so the two can't disagree.
                    del row["text"]
                line = {"document": document_to_json(document), "passages": rows}
                stream.write(json.dumps(line, ensure_ascii=True, separators=(",", ":")) + "\n")

    @classmethod
    def load(cls, path: Path) -> "Catalogue":
        """Read the file `path`. Raises `IndexDamaged` when it isn't a whole catalogue."""
        try:
            with path.open(encoding="utf-8") as stream:
                return cls([_entry(json.loads(line)) for line in stream])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise IndexDamaged(f"The list of documents {path.name} can't be read.") from error


def _entry(line: Mapping[str, Any]) -> Entry:
    document = document_from_json(line["document"])
    return document, tuple(_passage(fields, document) for fields in line["passages"])


def _passage(fields: Mapping[str, Any], document: Document) -> Passage:
    rest = dict(fields)
    sentences = tuple(Sentence(**sentence) for sentence in rest.pop("sentences"))
    heading = tuple(rest.pop("heading"))
    asks = tuple(rest.pop("asks"))
    pointed = tuple((question, number) for question, number in rest.pop("pointed"))
    text = document.text[rest["start"] : rest["end"]]
    return Passage(
        text=text, sentences=sentences, heading=heading, asks=asks, pointed=pointed, **rest
    )
