"""How relevant a passage is: what speaks for it, and how much each clue weighs.

Owns the clues of passages and their weights. Knows nothing of how passages are found, of
sentences that answer, or of what is done with a score.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from corpus.documents import Passage
from index.embeddings import Vectors
from index.reader import OpenIndex

if TYPE_CHECKING:
    from index.retrieval import Query, SentenceHit

UNASKED: Mapping[str, float] = {
    "meaning": 0.31,
    "sentences": 0.25,
    "words": 0.21,
    "document words": 0.23,
}
"""The weights for a passage without anticipated questions, with `BESIDE`. Chosen on the
questions about five articles."""

ASKED: Mapping[str, float] = {
    "meaning": 0.08,
    "sentences": 0.08,
    "words": 0.16,
    "asks": 0.39,
    "document words": 0.12,
    "document asks": 0.17,
}
"""The weights for a passage with anticipated questions, with `BESIDE`. From a conditional
logit (McFadden 1974) over the candidates of each development question, in which meaning and
sentences count alike; scaled to add up to 1. `make weights` fits one without that bound,
which is no better on questions held out."""

BESIDE: Mapping[str, float] = {
    # Near to every question about the document's subject, and answers few.
    "opening": -0.055,
    # A named article, symbol, year or quoted phrase that few passages hold counts more than
    # any difference in meaning: who names one wants to read that.
    "named": 0.3,
}

# The best sentence of a passage, and a second one that confirms it.
_BEST, _SECOND = 0.7, 0.3
# So many anticipated questions count beside the nearest: one alone may be near by chance.
_CONFIRMING = 3
# A reference that no more than so many passages hold counts in full.
_FEW = 3


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A passage that may be relevant, its sentences as hits, and the nearness of its questions."""

    passage: Passage
    sentences: "tuple[SentenceHit, ...]"
    asked: Vectors


def relevance(passage: Passage, clues: Mapping[str, float]) -> float:
    """The score (about 0…1) of a passage with `clues`."""
    weights = ASKED if passage.questions else UNASKED
    return sum(weight * clues[name] for name, weight in (*weights.items(), *BESIDE.items()))


def clues_of(
    index: OpenIndex, query: "Query", candidates: Sequence[Candidate], words: Vectors
) -> list[dict[str, float]]:
    """What speaks for each candidate, from 0 to 1 by name (see `ASKED`).

    `words` is the BM25 of every passage, in the order of the index of words.
    """
    ids = [one.passage.id for one in candidates]
    meaning = index.store.vectors("passages", ids) @ query.vector
    shares = _word_shares(index, query, ids, words)
    asks = [_of_questions(one.asked) for one in candidates]
    nearest = [float(max(one.asked, default=0.0)) for one in candidates]
    document_words = _of_document(candidates, shares)
    document_asks = _of_document(candidates, nearest)
    references = _named_shares(index, candidates, query.references)
    return [
        {
            "meaning": float(meaning[row]),
            "sentences": _of_sentences(one.sentences),
            "words": shares[row],
            "asks": asks[row],
            "document words": document_words[one.passage.document_id],
            "document asks": document_asks[one.passage.document_id],
            "opening": float(not one.passage.heading and not query.opening),
            "named": references[row],
        }
        for row, one in enumerate(candidates)
    ]


def named(index: OpenIndex, passage: Passage, references: Sequence[str]) -> list[bool]:
    """Which of the references the passage, its heading or its title names, word for word."""
    if not references:
        return []
    document = index.catalogue.documents[passage.document_id]
    text = " ".join((document.title, *passage.heading, passage.text)).casefold()
    return [reference.casefold() in text for reference in references]


def _named_shares(
    index: OpenIndex, candidates: Sequence[Candidate], references: Sequence[str]
) -> list[float]:
    """The share (0…1) of the references that each candidate names.

    One that many name tells little about each of them: a year, as a rule.
    """
    if not references:
        return [0.0] * len(candidates)
    holds = np.array([named(index, one.passage, references) for one in candidates], dtype=float)
    rarity = np.minimum(1.0, _FEW / np.maximum(1.0, holds.sum(axis=0)))
    return [float(share) for share in holds @ rarity / len(references)]


def _word_shares(
    index: OpenIndex, query: "Query", ids: Sequence[str], words: Vectors
) -> list[float]:
    """BM25 as a share (0…1) of the most that any passages give for the question's terms.

    A term that the library does not hold counts as one that is held once, so that a
    question full of foreign words finds little.
    """
    lexical = index.lexical
    terms = list(dict.fromkeys(lexical.terms(query.text)))
    if not terms:
        return [0.0] * len(ids)
    rarest = float(np.log(1 + (len(lexical.passage_ids) + 0.5) / 1.5))
    most = sum(
        float(lexical.scores(term).max()) if lexical.frequency(term) else rarest for term in terms
    )
    rows = {passage_id: row for row, passage_id in enumerate(lexical.passage_ids)}
    return [float(words[rows[passage_id]]) / max(most, 1e-6) for passage_id in ids]


def _of_sentences(hits: "tuple[SentenceHit, ...]") -> float:
    """What the sentences of a passage, best first, say for it."""
    if len(hits) < 2:
        return sum(hit.score for hit in hits)
    return _BEST * hits[0].score + _SECOND * hits[1].score


def _of_questions(near: Vectors) -> float:
    """What the anticipated questions of a passage say for it: the nearest, and more near it."""
    if not len(near):
        return 0.0
    best = np.sort(near)[-_CONFIRMING:]
    return float(best[-1] + best.mean()) / 2


def _of_document(candidates: Sequence[Candidate], values: Sequence[float]) -> dict[str, float]:
    """The most that any candidate of a document has, for each document.

    It tells which document a question is about.
    """
    most: dict[str, float] = {}
    for one, value in zip(candidates, values, strict=True):
        key = one.passage.document_id
        most[key] = max(most.get(key, 0.0), value)
    return most
