"""What the chat page shows of the library: introduction, starters, shelf, choices of filters.

Knows nothing of Gradio. What a page chose comes back from a browser and is not believed.
"""

import logging
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from assistant.answers import Mode
from assistant.rendering import escape_markdown
from assistant.web.pages import kinds, search_documents
from corpus.documents import Document
from corpus.errors import ExpectedError
from index.catalogue import Catalogue
from index.retrieval import Filters

if TYPE_CHECKING:
    from assistant.chain import Assistant

_LOG = logging.getLogger("rapporteur.web")

_QUOTED = "Answers in the exact words of the library's documents."
_WRITTEN = (
    "Answers written by a language model from the library's documents. Each sentence is compared "
    "with the words that it rests on, and marked where they do not support it."
)

ONLY_QUOTATIONS = "Only exact quotations"

FONTS: dict[str, Any] = {
    "font": ["system-ui", "sans-serif"],
    "font_mono": ["ui-monospace", "monospace"],
}

STARTERS = 6
"""Places for starter questions; one without a question is hidden."""

Choices = list[tuple[str, str]]

_MOST = 500
"""Names in a filter that are looked at."""


def introduction(modes: Sequence[Mode]) -> str:
    """What the page says of its answers, by the mode that is the default."""
    said = _WRITTEN if modes[0] == "written" else _QUOTED
    return f"# Rapporteur\n\n{said} Choose a number to read the sentence where it stands."


def offered(assistant: "Assistant") -> tuple[Catalogue, tuple[str, ...]]:
    """The library as it is now, and a starter question for each place (empty: none).

    Without an index both are empty: the page still stands, and the first question
    tells what is missing.
    """
    try:
        catalogue = assistant.catalogue()
        questions = _starters(assistant, catalogue)
    except ExpectedError as error:
        _LOG.warning("the library can't be shown: %s", error)
        return Catalogue(()), ("",) * STARTERS
    return catalogue, (*questions[:STARTERS], *("",) * (STARTERS - len(questions)))


@lru_cache(maxsize=2)
def _starters(assistant: "Assistant", catalogue: Catalogue) -> tuple[str, ...]:
    # Each one is tried out on the library: too slow to do again for every page that opens.
    return assistant.starters()


def shelf(catalogue: Catalogue, query: object = "", kind: object = "") -> str:
    """The documents that match, by kind, as Markdown; each opens within the page."""
    sought = query if isinstance(query, str) else ""
    found = search_documents(catalogue, sought, kind if isinstance(kind, str) else "")
    parts = [f"{len(found)} of {len(catalogue.documents)} documents"]
    by_kind: dict[str, list[Document]] = {}
    for document in found:
        by_kind.setdefault(document.kind, []).append(document)
    for name, documents in sorted(by_kind.items()):
        title = escape_markdown(name.capitalize()) if name else "Other"
        parts.append(f"### {title}")
        parts.append("\n".join(_line(document) for document in documents))
    return "\n\n".join(parts)


def _line(document: Document) -> str:
    said = [escape_markdown(part) for part in (document.publisher, document.published) if part]
    said += [f"*{escape_markdown(notice.text)}*" for notice in document.notices]
    about = f" — {' · '.join(said)}" if said else ""
    return f"- [{escape_markdown(document.title)}](#document:{document.id}){about}"


def kind_choices(catalogue: Catalogue) -> Choices:
    """Kinds with their counts, and the plain kind behind each."""
    return [(f"{kind} ({count})", kind) for kind, count in kinds(catalogue).items()]


def document_choices(catalogue: Catalogue) -> Choices:
    """Titles, and the id behind each."""
    return [(document.title, document.id) for document in search_documents(catalogue, "")]


def filters(chosen_kinds: object, chosen_documents: object) -> Filters:
    """What a page chose, as far as it is names at all; an unknown name finds nothing."""
    return Filters(kinds=_names(chosen_kinds), documents=_names(chosen_documents))


def _names(chosen: object) -> frozenset[str]:
    if not isinstance(chosen, Sequence) or isinstance(chosen, str):
        return frozenset()
    return frozenset(name for name in chosen[:_MOST] if isinstance(name, str))
