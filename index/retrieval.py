"""Finding: a question in, ranked passages out.

Owns the ways in: passages, sentences and anticipated questions by meaning, BM25 by words,
exact references. How they are weighed stands in `relevance`. Knows nothing of
conversations, of answers or of the settings.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from corpus.documents import Document, Passage, Sentence
from index.embeddings import Embedder, Vectors
from index.reader import OpenIndex
from index.relevance import Candidate, clues_of, named, relevance
from index.views import question_key, sentence_key

_CANDIDATES = 60
_SENTENCE_CANDIDATES = 150


@dataclass(frozen=True, kw_only=True)
class SentenceHit:
    """A sentence of a hit with its similarity to the question (0…1).

    `asked` is that of the nearest anticipated question it answers, 0 without one; `answers`
    the log odds that it answers, None where no reranker read it with the question.
    """

    sentence: Sentence
    score: float
    asked: float = 0.0
    answers: float | None = None


@dataclass(frozen=True, kw_only=True)
class Hit:
    """A found passage: score (similarity 0…1, higher is better), rank (from 1), best sentences.

    `best` holds every sentence of the passage, the most similar first.
    """

    passage: Passage
    score: float
    rank: int
    best: tuple[SentenceHit, ...] = ()

    @property
    def answers(self) -> float | None:
        """The log odds of its sentence most likely to answer; None where none were read."""
        read = [one.answers for one in self.best if one.answers is not None]
        return max(read, default=None)


NO_DOCUMENT = frozenset({"-"})
"""No document has such an id: as a filter it finds nothing."""


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What to search: kinds and document ids; an empty set stands for all."""

    kinds: frozenset[str] = frozenset()
    documents: frozenset[str] = frozenset()

    def allows(self, document: Document) -> bool:
        """Whether `document` may be searched and quoted."""
        return (not self.kinds or document.kind in self.kinds) and (
            not self.documents or document.id in self.documents
        )

    def narrowed(self, documents: Collection[str]) -> "Filters":
        """These filters, with the documents limited to `documents`; never more than before."""
        if not documents:
            return self
        wanted = frozenset(documents)
        both = wanted & self.documents if self.documents else wanted
        return Filters(kinds=self.kinds, documents=both or NO_DOCUMENT)


@dataclass(frozen=True, kw_only=True)
class Query:
    """What to look for: the words, their vector, and references that must match exactly."""

    text: str
    vector: Vectors
    references: tuple[str, ...] = ()
    opening: bool = False
    """Whether the opening of a document may well be the answer, as for a definition."""


class Retriever:
    """Finds passages in one open index; cheap to make, so make one for each question."""

    def __init__(self, index: OpenIndex, embedder: Embedder) -> None:
        self.index = index
        self._embedder = embedder

    def query(
        self, text: str, references: Sequence[str] = (), own: str = "", opening: bool = False
    ) -> Query:
        """Encode `text` (cleaned already) as a query.

        `own` are the words of a question whose topic or names `text` adds: its vector is
        mixed in half and half, since what is added tends to drown a short question.
        """
        vector = self._embedder.encode([text, own] if own else [text]).mean(axis=0)
        vector = vector / float(np.linalg.norm(vector))
        return Query(text=text, vector=vector, references=tuple(references), opening=opening)

    def retrieve(
        self, query: Query, filters: Filters = Filters(), limit: int = 10
    ) -> tuple[Hit, ...]:
        """The `limit` best passages for `query` that `filters` allow, best first."""
        scored = [
            (relevance(one.passage, clues), one) for one, clues in self.candidates(query, filters)
        ]
        best = sorted(scored, key=lambda row: (-row[0], row[1].passage.id))
        return tuple(
            Hit(
                passage=one.passage,
                score=min(1.0, max(0.0, score)),
                rank=rank,
                best=one.sentences,
            )
            for rank, (score, one) in enumerate(best[:limit], 1)
        )

    def candidates(
        self, query: Query, filters: Filters = Filters()
    ) -> list[tuple[Candidate, dict[str, float]]]:
        """What any of the ways in finds, each with what speaks for it; in no order."""
        allowed = self._allowed(filters)
        if allowed is not None and not allowed:
            return []
        words = self.index.lexical.scores(query.text)
        passages = self._passages(query, allowed, words)
        asks = self._asks(query, passages)
        found = [
            Candidate(passage=passage, sentences=sentences, asked=asked)
            for passage, sentences, asked in zip(
                passages, self._sentence_hits(query, passages, asks), asks, strict=True
            )
        ]
        clues = clues_of(self.index, query, found, words) if found else []
        return list(zip(found, clues, strict=True))

    def _allowed(self, filters: Filters) -> set[str] | None:
        """The ids of the documents to search; None for all of them."""
        if not filters.kinds and not filters.documents:
            return None
        return {
            document.id
            for document in self.index.catalogue.documents.values()
            if filters.allows(document)
        }

    def _passages(self, query: Query, allowed: set[str] | None, words: Vectors) -> list[Passage]:
        """Everything that one of the ways in finds, in stable order.

        `words` is the BM25 of every passage, in the order of the index of words.
        """
        catalogue, store = self.index.catalogue, self.index.store
        found: dict[str, None] = {}
        for match in store.search("passages", query.vector, _CANDIDATES, allowed):
            found[match.passage_id] = None
        for match in store.search("sentences", query.vector, _SENTENCE_CANDIDATES, allowed):
            found[match.passage_id] = None
        for match in store.search("questions", query.vector, _CANDIDATES, allowed):
            found[match.passage_id] = None
        ids = self.index.lexical.passage_ids
        for row in np.argsort(-words, kind="stable")[:_CANDIDATES]:
            if words[row] > 0:
                found[ids[row]] = None
        if query.references:
            for passage in catalogue.passages.values():
                if any(named(self.index, passage, query.references)):
                    found[passage.id] = None
        passages = [catalogue.passages[passage_id] for passage_id in found]
        return [p for p in passages if allowed is None or p.document_id in allowed]

    def _sentence_hits(
        self, query: Query, passages: list[Passage], asks: list[Vectors]
    ) -> list[tuple[SentenceHit, ...]]:
        """For each passage its sentences with their similarity, the most similar first."""
        keys = [sentence_key(p.id, i) for p in passages for i in range(len(p.sentences))]
        scores = self.index.store.vectors("sentences", keys) @ query.vector if keys else ()
        hits, start = [], 0
        for passage, of_questions in zip(passages, asks, strict=True):
            end = start + len(passage.sentences)
            asked = [0.0] * len(passage.sentences)
            for (_, number), near in zip(
                passage.pointed, of_questions[len(passage.asks) :], strict=True
            ):
                asked[number] = max(asked[number], float(near))
            of_passage = [
                SentenceHit(sentence=sentence, score=max(0.0, float(score)), asked=near)
                for sentence, score, near in zip(
                    passage.sentences, scores[start:end], asked, strict=True
                )
            ]
            hits.append(tuple(sorted(of_passage, key=lambda hit: -hit.score)))
            start = end
        return hits

    def _asks(self, query: Query, passages: list[Passage]) -> list[Vectors]:
        """For each passage the similarity of each of its anticipated questions."""
        keys = [question_key(p.id, i) for p in passages for i in range(len(p.questions))]
        if not keys:
            return [np.zeros(0, dtype=np.float32) for _ in passages]
        scores = self.index.store.vectors("questions", keys) @ query.vector
        ends = np.cumsum([len(p.questions) for p in passages])
        return np.split(np.maximum(scores, 0.0), ends[:-1])
