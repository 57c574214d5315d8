"""From a question to the evidence for each of its parts.

Owns how a question's words become queries (abbreviations spelt out, misspellings
mended, documents it names) and how the hits of several parts become one ranking.
Knows nothing of how an answer is made of them.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from assistant.expectations import defines
from assistant.other_names import other_names
from assistant.questions import Part, Question, Want
from assistant.references import (
    References,
    abbreviations,
    mentioned_documents,
    references_of,
    spelled_out,
    without_mentions,
)
from assistant.reranking import read_together, reranked, worth
from assistant.spelling import Mended, Vocabulary, in_dictionary, mended
from corpus.documents import Passage
from index.catalogue import Catalogue
from index.embeddings import Embedder
from index.lexical import terms
from index.reader import OpenIndex
from index.reranking import Reranker
from index.retrieval import Filters, Hit, Query, Retriever

# How much deeper a definition is looked for, and what a defining sentence is worth.
DEFINITION_DEPTH = 3
DEFINING_BONUS = 0.2
# For a question of law, an article that comes no more than this before another kind of
# source comes after it: what binds is better quoted from the text that says so.
TIE = 0.02
_LEGAL = re.compile(
    r"\b(law|lawful|legal\w*|bind\w*|bound|treat(?:y|ies)|conventions?|covenants?|protocols?|"
    r"articles? \d|oblig\w+|ratif\w+|dut(?:y|ies)|entitled|in force)\b",
    re.I,
)


@dataclass(frozen=True, kw_only=True)
class Found:
    """What was found for one part: the query that found it, what it names, its hits."""

    part: Part
    query: Query
    references: References
    hits: tuple[Hit, ...]

    @property
    def answers(self) -> float | None:
        """The log odds of the sentence most likely to answer; None where none were read."""
        read = [hit.answers for hit in self.hits if hit.answers is not None]
        return max(read, default=None)

    @property
    def best_score(self) -> float:
        """The score of the best passage, 0 without any; it need not come first."""
        return max((hit.score for hit in self.hits), default=0.0)


class Finder:
    """Finds the evidence for questions in one open index."""

    def __init__(
        self, index: OpenIndex, embedder: Embedder, reranker: Reranker | None = None
    ) -> None:
        """Without a `reranker`, hits are ranked by the index alone."""
        self.index = index
        self._reranker = reranker
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

        def known(word: str) -> bool:
            return self._embedder.knows(word) or in_dictionary(word)

        return mended(text, _words(self.index.catalogue), known)

    def in_context(self, passage: Passage, text: str) -> tuple[str, ...]:
        """The stems of the title, of each heading and of `text`, a part of `passage`.

        One string each, a space at either end, so that a name's stems can be looked up
        in their order.
        """
        title = self.index.catalogue.documents[passage.document_id].title
        places = (title, *passage.heading, text)
        return tuple(f" {' '.join(terms(self.spell_out(place)))} " for place in places)

    def _find(self, part: Part, filters: Filters, limit: int) -> Found:
        references = references_of(part.whole)
        names = ((other_names(name, self._held) or (name,))[0] for name in references.names)
        references = replace(references, names=tuple(dict.fromkeys(names)))
        spelled = self.spell_out(part.whole)
        others = other_names(spelled, self._held)
        query = self._retriever.query(
            f"{spelled} ({', '.join(others)})" if others else spelled,
            references.exact,
            own=part.text if part.topic else spelled if others else "",
            opening=part.want is Want.DEFINITION,
        )
        allowed = filters.narrowed(part.documents)
        if part.want is Want.DEFINITION:
            hits = self._retriever.retrieve(query, allowed, DEFINITION_DEPTH * limit)
            hits = self._read(_defining_first(hits, part.text)[:limit], part)
        else:
            hits = reranked(self._read(self._retriever.retrieve(query, allowed, limit), part))
        documents = self.index.catalogue.documents
        hits = legal_first(hits, part.text, lambda document: documents[document].kind)
        return Found(part=part, query=query, references=references, hits=hits)

    def _read(self, hits: tuple[Hit, ...], part: Part) -> tuple[Hit, ...]:
        if self._reranker is None:
            return hits
        documents = self.index.catalogue.documents
        return read_together(hits, part.whole, self._reranker, documents)

    def _held(self, name: str) -> bool:
        """Whether a name stands in the library."""
        return name.casefold() in _all_text(self.index.catalogue)

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
def _all_text(catalogue: Catalogue) -> str:
    """The texts of the library, case folded."""
    return "\n".join(document.text for document in catalogue.documents.values()).casefold()


@lru_cache(maxsize=2)
def _words(catalogue: Catalogue) -> Vocabulary:
    return Vocabulary.of(document.text for document in catalogue.documents.values())


def _defining_first(hits: Sequence[Hit], text: str) -> tuple[Hit, ...]:
    """The hits of a definition, those with a sentence that defines moved up."""

    def worth(hit: Hit) -> float:
        defined = max(
            (
                defines(hit.passage.sentence_text(best.sentence), text) * best.score
                for best in hit.best
            ),
            default=0.0,
        )
        return hit.score + DEFINING_BONUS * defined

    ranked = sorted(hits, key=worth, reverse=True)
    return tuple(replace(hit, rank=rank) for rank, hit in enumerate(ranked, 1))


def legal_first(hits: Sequence[Hit], text: str, kind_of: Callable[[str], str]) -> tuple[Hit, ...]:
    """The hits, for a question of law with articles after other sources equally relevant.

    `kind_of` gives the kind of a document by its id.
    """
    if not _LEGAL.search(text):
        return tuple(hits)
    ranked = sorted(
        hits, key=lambda hit: -worth(hit) + TIE * (kind_of(hit.passage.document_id) == "article")
    )
    return tuple(replace(hit, rank=rank) for rank, hit in enumerate(ranked, 1))


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
