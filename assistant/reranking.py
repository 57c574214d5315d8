"""Hits read once more, each of their best sentences together with the question.

Owns which sentences are read so, what surrounds them then, and how far that moves a passage.
Knows nothing of how the reranker scores.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from assistant.lists import lead_in
from corpus.documents import Document, Passage, Sentence
from index.reranking import Reranker
from index.retrieval import Hit, SentenceHit

# So many sentences are read; each costs six thousandths of a second.
READ_TOGETHER = 40
# What one unit of log odds is worth to a passage, whose score goes from 0 to 1, and
# the least and most of them that count. Chosen on the development questions.
WORTH = 0.01
LEAST, MOST = -6.0, 6.0
# A question so near to an anticipated one need not be read again: it is known what answers it.
ANTICIPATED = 0.9
# No text says what the documents say: what is asked about is read without these words.
_ASKS_THE_DOCUMENTS = re.compile(
    r"^(what (do|does|can) (the |your |these )?(documents?|texts?|sources?|articles?|library) "
    r"(say|tell( us| me)?) (about|of|on)|what can you tell me about)\s+(?=\w|\W\w)",
    re.I,
)


def read_together(
    hits: Sequence[Hit], question: str, reranker: Reranker, documents: Mapping[str, Document]
) -> tuple[Hit, ...]:
    """The hits in their order, with what the reranker says of each of their sentences.

    A sentence that was not read counts as the worst of those that were. Of a question
    that was anticipated, nothing is read.
    """
    if any(_anticipated(hit, question) for hit in hits):
        return tuple(hits)
    near = sorted(
        ((hit, best) for hit in hits for best in hit.best), key=lambda one: -_promise(*one)
    )[:READ_TOGETHER]
    texts = [
        in_place(hit.passage, best.sentence, documents[hit.passage.document_id].title)
        for hit, best in near
    ]
    matter = _ASKS_THE_DOCUMENTS.sub("", question)
    read = {
        (hit.passage.id, best.sentence.start): min(MOST, max(LEAST, float(score)))
        for (hit, best), score in zip(near, reranker.scores(matter, texts), strict=True)
    }
    least = min(read.values(), default=LEAST)
    return tuple(
        replace(
            hit,
            best=tuple(
                replace(best, answers=read.get((hit.passage.id, best.sentence.start), least))
                for best in hit.best
            ),
        )
        for hit in hits
    )


def reranked(hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """Hits whose sentences were read, those that hold one that answers moved up."""
    order = sorted(hits, key=worth, reverse=True)
    return tuple(replace(hit, rank=rank) for rank, hit in enumerate(order, 1))


def in_place(passage: Passage, sentence: Sentence, title: str) -> str:
    """A sentence as the reranker reads it: after its title, headings and lead-in."""
    lead = lead_in(passage, sentence)
    words = [passage.sentence_text(one) for one in (lead, sentence) if one is not None]
    return f"{title}. {' '.join(passage.heading)}: {' '.join(words)}"


def _anticipated(hit: Hit, question: str) -> bool:
    return question in hit.passage.asks or any(best.asked >= ANTICIPATED for best in hit.best)


def _promise(hit: Hit, best: SentenceHit) -> float:
    """How likely a sentence is worth reading: its nearness and its passage's."""
    return hit.score + max(best.score, best.asked if hit.passage.pointed else 0.0)


def worth(hit: Hit) -> float:
    """A hit's score, and what its sentence most likely to answer adds to it."""
    return hit.score + WORTH * (hit.answers or 0.0)
