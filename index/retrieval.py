"""Finding: a question in, ranked passages out.

Owns how the ways in (passages, sentences and anticipated questions by meaning,
BM25 by words, exact references) are weighed against each other. Knows nothing of
conversations, of answers or of the settings.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from corpus.documents import Document, Passage, Sentence
from index.embeddings import Embedder, Vectors
from index.reader import OpenIndex
from index.views import question_key, sentence_key

# How a passage is scored. Meaning, best sentences and words, chosen on the questions about
# five articles; the rest fitted to the development questions about the shipped library
# (`tests/data`, ids that begin with `a`): softmax regression over all passages, in five
# folds by document.
MEANING_SHARE = 0.40
SENTENCE_SHARE = 0.33
WORD_SHARE = 0.27
# The nearest anticipated question; a passage without any is scored by the rest.
ASKS_SHARE = 0.45
# The best of the whole document counts too: it tells which document the question is about.
DOCUMENT_ASKS = 0.33
DOCUMENT_WORDS = 0.30
# The opening of a document is near to every question about its subject and answers few.
OPENING_MALUS = 0.06
# The best sentence of a passage, and a second one that confirms it.
BEST_SENTENCE = 0.7
SECOND_SENTENCE = 0.3
# A named article, symbol, year or quoted phrase counts more than any difference in meaning.
REFERENCE_BONUS = 0.3

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
        allowed = self._allowed(filters)
        if allowed is not None and not allowed:
            return ()
        words = self.index.lexical.scores(query.text)
        candidates = self._candidates(query, allowed, words)
        if not candidates:
            return ()
        asks = self._asks(query, candidates)
        sentences = self._sentence_hits(query, candidates, asks)
        scores = self._score(query, candidates, sentences, words, asks)
        best = sorted(
            zip(scores, candidates, sentences, strict=True), key=lambda row: (-row[0], row[1].id)
        )
        return tuple(
            Hit(passage=passage, score=min(1.0, max(0.0, score)), rank=rank, best=of_passage)
            for rank, (score, passage, of_passage) in enumerate(best[:limit], 1)
        )

    def _allowed(self, filters: Filters) -> set[str] | None:
        """The ids of the documents to search; None for all of them."""
        if not filters.kinds and not filters.documents:
            return None
        return {
            document.id
            for document in self.index.catalogue.documents.values()
            if filters.allows(document)
        }

    def _candidates(self, query: Query, allowed: set[str] | None, words: Vectors) -> list[Passage]:
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
                if self._named(passage, query.references):
                    found[passage.id] = None
        passages = [catalogue.passages[passage_id] for passage_id in found]
        return [p for p in passages if allowed is None or p.document_id in allowed]

    def _score(
        self,
        query: Query,
        candidates: list[Passage],
        sentences: list[tuple[SentenceHit, ...]],
        words: Vectors,
        questions: list[Vectors],
    ) -> list[float]:
        """The score of each candidate, from its sentences' hits, every passage's BM25 and the
        nearness of its questions."""
        store = self.index.store
        meaning = store.vectors("passages", [p.id for p in candidates]) @ query.vector
        shares = self._word_shares(query, candidates, words)
        asks = np.asarray([max(near, default=0.0) for near in questions], dtype=np.float32)
        document_words, document_asks = _of_document(candidates, shares, asks)
        scores = []
        for row, passage in enumerate(candidates):
            score = (
                MEANING_SHARE * float(meaning[row])
                + SENTENCE_SHARE * _of_sentences(sentences[row])
                + WORD_SHARE * float(shares[row])
            )
            whole = 1.0 + DOCUMENT_WORDS
            if passage.questions:
                score = (1 - ASKS_SHARE) * score + ASKS_SHARE * float(asks[row])
                score += DOCUMENT_ASKS * document_asks[passage.document_id]
                whole += DOCUMENT_ASKS
            score = (score + DOCUMENT_WORDS * document_words[passage.document_id]) / whole
            if not passage.heading and not query.opening:
                score -= OPENING_MALUS
            score += REFERENCE_BONUS * self._named(passage, query.references)
            scores.append(score)
        return scores

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

    def _word_shares(self, query: Query, candidates: list[Passage], words: Vectors) -> Vectors:
        """BM25 as a share (0…1) of the most that any passages give for the question's terms.

        A term that the library does not hold counts as one that is held once, so that a
        question full of foreign words finds little.
        """
        lexical = self.index.lexical
        terms = list(dict.fromkeys(lexical.terms(query.text)))
        if not terms:
            return np.zeros(len(candidates), dtype=np.float32)
        rarest = float(np.log(1 + (len(lexical.passage_ids) + 0.5) / 1.5))
        most = sum(
            float(lexical.scores(term).max()) if lexical.frequency(term) else rarest
            for term in terms
        )
        rows = {passage_id: row for row, passage_id in enumerate(lexical.passage_ids)}
        shares = words / max(most, 1e-6)
        return np.asarray([shares[rows[p.id]] for p in candidates], dtype=np.float32)

    def _named(self, passage: Passage, references: Sequence[str]) -> float:
        """The share of the references that the passage or its heading names, word for word."""
        if not references:
            return 0.0
        document = self.index.catalogue.documents[passage.document_id]
        text = " ".join((document.title, *passage.heading, passage.text)).casefold()
        return sum(reference.casefold() in text for reference in references) / len(references)


def _of_sentences(hits: tuple[SentenceHit, ...]) -> float:
    """What the sentences of a passage, best first, say for it."""
    if len(hits) < 2:
        return sum(hit.score for hit in hits)
    return BEST_SENTENCE * hits[0].score + SECOND_SENTENCE * hits[1].score


def _of_document(
    candidates: Sequence[Passage], words: Vectors, asks: Vectors
) -> tuple[dict[str, float], dict[str, float]]:
    """For each document, the best word share and the nearest question of its candidates."""
    best_words: dict[str, float] = {}
    best_asks: dict[str, float] = {}
    for row, passage in enumerate(candidates):
        key = passage.document_id
        best_words[key] = max(best_words.get(key, 0.0), float(words[row]))
        best_asks[key] = max(best_asks.get(key, 0.0), float(asks[row]))
    return best_words, best_asks
