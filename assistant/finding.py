"""From a question to the evidence for each of its parts.

Owns how a question's words become queries (abbreviations spelt out, misspellings
mended, documents it names) and how the hits of several parts become one ranking.
Knows nothing of how an answer is made of them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from assistant.questions import Part, Question, Want
from assistant.references import (
    References,
    abbreviations,
    mentioned_documents,
    references_of,
    spelled_out,
    without_mentions,
)
from assistant.spelling import Mended, mended
from corpus.documents import Passage
from index.catalogue import Catalogue
from index.embeddings import Embedder
from index.lexical import terms
from index.reader import OpenIndex
from index.retrieval import Filters, Hit, Query, Retriever


@dataclass(frozen=True, kw_only=True)
class Found:
    """What was found for one part: the query that found it, what it names, its hits."""

    part: Part
    query: Query
    references: References
    hits: tuple[Hit, ...]


class Finder:
    """Finds the evidence for questions in one open index."""

    def __init__(self, index: OpenIndex, embedder: Embedder) -> None:
        self.index = index
        self._retriever = Retriever(index, embedder)
        self._embedder = embedder
        self._names = _names(index.catalogue)

    def find(self, question: Question, filters: Filters, limit: int) -> tuple[Found, ...]:
        """The hits for each part of `question`, at most `limit` for each."""
        parts = [narrow for part in question.parts for narrow in self._narrowed(part, question)]
        return tuple(self._find(part, filters, limit) for part in parts)

    def spell_out(self, text: str) -> str:
        """`text` with abbreviations and full names side by side, as the library has them."""
        return spelled_out(text, self._names)

    def mend(self, text: str) -> Mended:
        """`text` with misspelt words replaced by words of the library."""
        return mended(text, _words(self.index.catalogue), self._embedder.knows)

    def in_context(self, passage: Passage, text: str) -> set[str]:
        """The terms of `text`, a part of `passage`, and of the headings it stands under."""
        title = self.index.catalogue.documents[passage.document_id].title
        return set(terms(self.spell_out(" ".join((title, *passage.heading, text)))))

    def _find(self, part: Part, filters: Filters, limit: int) -> Found:
        references = references_of(part.whole)
        query = self._retriever.query(
            self.spell_out(part.whole),
            references.exact,
            own=part.text if part.topic else "",
            opening=part.want is Want.DEFINITION,
        )
        hits = self._retriever.retrieve(query, filters.narrowed(part.documents), limit)
        return Found(part=part, query=query, references=references, hits=hits)

    def _narrowed(self, part: Part, question: Question) -> list[Part]:
        """The part, limited to the document it names; compared documents get one part each."""
        catalogue = self.index.catalogue
        named = mentioned_documents(part.text, catalogue, self.spell_out)
        if part.want is not Want.COMPARISON:
            return [_limited(part, named[:1])]
        of_all = mentioned_documents(question.standalone, catalogue, self.spell_out)
        topic = without_mentions(question.standalone)
        if len(of_all) > 1:
            if part is not question.parts[0]:
                return []
            return [replace(part, text=topic, documents=(one,)) for one in of_all]
        return [_limited(part, named[:1])]


# A catalogue never changes, so what is read from it is kept with it; the newest two are enough.
@lru_cache(maxsize=2)
def _names(catalogue: Catalogue) -> dict[str, str]:
    return abbreviations(catalogue)


@lru_cache(maxsize=2)
def _words(catalogue: Catalogue) -> frozenset[str]:
    """Every word of the library, in lower case."""
    texts = (document.text for document in catalogue.documents.values())
    return frozenset(word.lower() for text in texts for word in re.findall(r"[^\W\d_]{4,}", text))


def _limited(part: Part, documents: tuple[str, ...]) -> Part:
    if not documents:
        return part
    return replace(
        part,
        text=without_mentions(part.text),
        topic=without_mentions(part.topic) if part.topic else "",
        documents=documents,
    )


def merged(found: Sequence[Found], limit: int) -> tuple[Hit, ...]:
    """One ranking of all parts' hits: the first of each part, then the second, …"""
    ranked: dict[str, Hit] = {}
    deepest = max((len(one.hits) for one in found), default=0)
    for depth in range(deepest):
        for one in found:
            if depth < len(one.hits):
                hit = one.hits[depth]
                ranked.setdefault(hit.passage.id, hit)
    return tuple(
        replace(hit, rank=rank) for rank, hit in enumerate(list(ranked.values())[:limit], 1)
    )
