"""The pages that need no script: a passage, a document, the list of documents, errors.

Owns their HTML, from templates that escape everything. Knows nothing of Gradio,
of requests and of how an answer is found.
"""

from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from assistant.answers import permalink
from assistant.rendering import document_line, plain, secure_url
from assistant.web.layout import Span, anchor, lay_out, surroundings
from corpus.documents import Document, Passage, Section
from index.catalogue import Catalogue

STATIC = Path(__file__).parent / "static"

_QUERY_LIMIT = 200


class NotInLibrary(Exception):
    """No such passage or document, or not any more; the message says so to a reader."""


class Pages:
    """Makes the HTML of every page but the chat's. Holds templates, nothing else."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(STATIC),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["plain"] = plain
        self._templates.globals["permalink"] = permalink
        self._templates.globals["document_line"] = document_line
        self._templates.globals["secure_url"] = secure_url

    def passage(
        self,
        catalogue: Catalogue,
        passage_id: str,
        *,
        marked: Span | None = None,
        fragment: bool = False,
    ) -> str:
        """The page of a passage in its context; `marked` counts from the passage's beginning.

        Offsets beyond the passage are cut to it. `fragment` gives the article alone,
        for a page that shows it within itself. Raises `NotInLibrary`.
        """
        try:
            passage = catalogue.passage(passage_id)
        except KeyError:
            raise NotInLibrary("This passage is not in the library, or not any more.") from None
        document = catalogue.documents[passage.document_id]
        own = (passage.start, passage.end)
        stretch = surroundings(document, catalogue.passages_of(document.id), passage)
        return self._render(
            "passage.html",
            fragment,
            document=document,
            passage=passage,
            parts=lay_out(document, stretch, passage=own, marked=_absolute(passage, marked)),
            anchor=_anchor_of(document, passage),
            marks=marked,
        )

    def document(self, catalogue: Catalogue, document_id: str, *, fragment: bool = False) -> str:
        """The page of a whole document with its headings. Raises `NotInLibrary`."""
        try:
            document = catalogue.documents[document_id]
        except KeyError:
            raise NotInLibrary("This document is not in the library, or not any more.") from None
        contents = [
            (anchor(index), section.heading, section.level)
            for index, section in enumerate(document.sections)
            if section.heading
        ]
        parts = lay_out(document, (0, len(document.text)))
        return self._render(
            "document.html", fragment, document=document, parts=parts, contents=contents
        )

    def documents(self, catalogue: Catalogue, query: str = "", kind: str = "") -> str:
        """The page that lists the documents, those that match when something is searched."""
        return self._render(
            "documents.html",
            False,
            documents=search_documents(catalogue, query, kind),
            total=len(catalogue.documents),
            kinds=kinds(catalogue),
            query=query[:_QUERY_LIMIT],
            kind=kind,
        )

    def message(self, title: str, text: str) -> str:
        """A page that says one thing, an error for instance."""
        return self._render("message.html", False, title=title, text=text)

    def frame(self, **values: object) -> str:
        """The widget's page; `values` are those that its template names."""
        return self._templates.get_template("frame.html").render(**values)

    def _render(self, template: str, fragment: bool, /, **values: object) -> str:
        frame = "fragment.html" if fragment else "page.html"
        return self._templates.get_template(template).render(
            frame=frame, fragment=fragment, **values
        )


def _absolute(passage: Passage, marked: Span | None) -> Span | None:
    if marked is None:
        return None
    start, end = (min(passage.start + offset, passage.end) for offset in marked)
    return (start, end) if start < end else None


def _anchor_of(document: Document, passage: Passage) -> str:
    holders = [index for index, section in enumerate(document.sections) if _holds(section, passage)]
    return anchor(holders[-1]) if holders else ""


def _holds(section: Section, passage: Passage) -> bool:
    return bool(section.heading) and section.start <= passage.start < section.end


def kinds(catalogue: Catalogue) -> Mapping[str, int]:
    """The kinds of documents with how many there are of each, by name."""
    counted: dict[str, int] = {}
    for document in catalogue.documents.values():
        if document.kind:
            counted[document.kind] = counted.get(document.kind, 0) + 1
    return dict(sorted(counted.items()))


def search_documents(catalogue: Catalogue, query: str, kind: str = "") -> tuple[Document, ...]:
    """The documents of `kind` (all when empty) that hold every word of `query`, by title.

    Words are sought, without regard to case, in title, kind, publisher and text; those
    with all of them in the title come first.
    """
    words = query[:_QUERY_LIMIT].casefold().split()
    found = [
        document
        for document in catalogue.documents.values()
        if (not kind or document.kind == kind) and _matches(document, words)
    ]
    return tuple(
        sorted(found, key=lambda document: (not _in_title(document, words), document.title))
    )


def _in_title(document: Document, words: list[str]) -> bool:
    title = document.title.casefold()
    return all(word in title for word in words)


def _matches(document: Document, words: list[str]) -> bool:
    if not words:
        return True
    text = "\n".join((document.title, document.kind, document.publisher, document.text)).casefold()
    return all(word in text for word in words)
