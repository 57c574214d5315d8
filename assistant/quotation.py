"""Quotation answers: a judged question in, an answer in exact sentences out.

Owns what is known of a question once its evidence is judged, and what an answer or a
refusal is made of then. The answers of a chat model start from the same and fall back
to it. Knows nothing of the order of the steps or of chat models.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from assistant import phrases
from assistant.answers import AbstentionKind, Answer, DeltaEvent, Difference, Event, Evidence, Mode
from assistant.differences import Conflict, shown, with_both_sides
from assistant.finding import Finder, Found
from assistant.grounding import Composed, compose, pieces_of
from assistant.judging import Judgement, Shortfall, judge
from assistant.quoting import Quote, choose
from assistant.ranking import Candidate, candidates, weigh_in
from assistant.understanding import Asked, Reading
from index.embeddings import Vectors
from index.reader import OpenIndex
from index.views import sentence_key

NEAREST = 3


@dataclass(frozen=True, kw_only=True)
class Content:
    """What an answer says: its text with citations, the differences it shows, who wrote it.

    `notices` are what there is to tell of how it was written.
    """

    composed: Composed
    differences: tuple[Difference, ...] = ()
    mode: Mode = "quotation"
    model: str | None = None
    notices: tuple[str, ...] = ()
    followups: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What is known of a question once its evidence is judged."""

    asked: Asked
    reading: Reading
    judged: tuple[Judgement, ...]
    evidence: tuple[Evidence, ...]
    index: OpenIndex
    embedding_model: str
    retrieve_ms: float

    @property
    def answered(self) -> tuple[Judgement, ...]:
        """The parts of the question that the evidence answers."""
        return tuple(judgement for judgement in self.judged if judgement.shortfall is None)

    def chosen(self) -> tuple[Quote, ...]:
        """The sentences that answer."""
        return choose(
            [(j.found, j.candidates, j.most) for j in self.answered], _similarity(self.index)
        )

    def quoted(self, quotes: Sequence[Quote]) -> Content:
        """The answer made of `quotes`, with both sides of what sources differ on."""
        quotes, differing = with_both_sides(quotes, self.conflicts(quotes))
        return Content(
            composed=compose(quotes, self.index.catalogue),
            differences=tuple(Difference(about=a, citations=numbers) for a, numbers in differing),
        )

    def conflicts(self, quotes: Sequence[Quote]) -> tuple[Conflict, ...]:
        """The differences to show with `quotes`: those of which both sides may be quoted."""
        documents, filters = self.index.catalogue.documents, self.asked.filters
        candidates = [one for judgement in self.judged for one in judgement.candidates]
        return tuple(
            conflict
            for conflict in shown(quotes, self.index.catalogue, candidates)
            if all(filters.allows(documents[s.passage.document_id]) for s in conflict.sides)
        )

    def answer(self, content: Content) -> Answer:
        """The whole answer."""
        return Answer(
            question=self.asked.question,
            standalone_question=self.reading.question.standalone or self.asked.question,
            text=content.composed.text,
            mode=content.mode,
            model=content.model,
            statements=content.composed.statements,
            citations=content.composed.citations,
            differences=content.differences,
            notices=(*content.notices, *self._notices(content)),
            evidence=self.evidence,
            followups=content.followups,
            **self._provenance,
        )

    def refusal(self) -> Answer:
        """The answer where the library holds none."""
        off_topic = not self.reading.question.parts or all(
            j.shortfall is Shortfall.NOTHING for j in self.judged
        )
        text = phrases.refusal(list(self.judged), instructed=not self.reading.question.parts)
        if self.reading.refusal:
            text = f"{self.reading.refusal} {text}"
        return Answer(
            question=self.asked.question,
            standalone_question=self.reading.question.standalone or self.asked.question,
            text=text,
            abstention=AbstentionKind.OFF_TOPIC if off_topic else AbstentionKind.NO_EVIDENCE,
            nearest=self.evidence[:NEAREST],
            evidence=self.evidence,
            notices=self.reading.notices,
            **self._provenance,
        )

    @property
    def _provenance(self) -> dict[str, Any]:
        timings = {"retrieve": self.retrieve_ms, "total": self.asked.milliseconds}
        return {
            "generation": self.index.generation,
            "embedding_model": self.embedding_model,
            "timings_ms": timings,
        }

    def _notices(self, content: Content) -> tuple[str, ...]:
        notices = list(self.reading.notices)
        citations = content.composed.citations
        kinds = [{n.kind for n in citation.document.notices} for citation in citations]
        if kinds and all("ai-generated" in of_document for of_document in kinds):
            notices.append(phrases.AI_ONLY)
        if self.answered and not any(j.sure for j in self.answered):
            notices.append(phrases.UNSURE if content.mode == "quotation" else phrases.FAR)
        notices += [phrases.part_refused(j) for j in self.judged if j.shortfall is not None]
        return tuple(notices)


def judged(found: Found, finder: Finder) -> Judgement:
    """Whether the evidence for one part answers it, and the sentences that may."""
    ranked = candidates(found, weigh_in(finder.index), finder.index.catalogue)
    return judge(found, ranked, finder.in_context)


def deltas(composed: Composed) -> Iterator[Event]:
    """A text as events."""
    for piece in pieces_of(composed.text, composed.citations):
        yield DeltaEvent(text=piece)


def _similarity(index: OpenIndex) -> Callable[[Candidate, Candidate], float]:
    """The cosine of two candidates' sentences."""

    @cache  # each is compared with several others
    def fetched(key: str) -> Vectors:
        return index.store.vectors("sentences", [key])[0]

    def vector(candidate: Candidate) -> Vectors:
        passage = candidate.passage
        return fetched(sentence_key(passage.id, passage.sentences.index(candidate.sentence)))

    return lambda one, other: float(vector(one) @ vector(other))
