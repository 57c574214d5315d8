"""The path of a question: read, find, judge, quote, cite.

Owns the order of the steps and what becomes of each outcome. Each step is a module
of its own; nothing of one question is kept for the next.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from langchain_core.runnables import Runnable, RunnableConfig

from assistant import phrases
from assistant.answers import (
    AbstentionKind,
    Answer,
    DeltaEvent,
    Difference,
    DoneEvent,
    Event,
    Evidence,
    EvidenceEvent,
    Mode,
    Reply,
    Turn,
)
from assistant.differences import Side, shown, with_both_sides
from assistant.finding import Finder, Found, merged
from assistant.grounding import Composed, compose
from assistant.judging import Judgement, Shortfall, judge
from assistant.questions import Question, clean_question, parts_of
from assistant.quoting import Candidate, Quote, candidates, choose, provenance
from assistant.suggestions import followups, starters
from assistant.understanding import Asked, Reading, read
from index.catalogue import Catalogue
from index.embeddings import Embedder, Vectors
from index.reader import IndexReader, OpenIndex
from index.retrieval import Filters, Hit, PassageRetriever
from index.views import sentence_key

NEAREST = 3
# More passages than an answer shows are read for the sentence that answers.
READ = 8

AssistantInput = str | Mapping[str, Any]
"""A question, or `{"question", "turns", "filters"}` of which the last two may be missing."""


class Assistant(Runnable[AssistantInput, Answer]):
    """Answers questions from one index in exact quotations; threads may share it.

    As a LangChain runnable it takes a question (or a mapping with `question`, `turns`
    and `filters`) and gives an `Answer`; `stream` gives the reply's events.
    """

    def __init__(self, reader: IndexReader, embedder: Embedder, *, evidence: int = 6) -> None:
        """`evidence` is the number of passages shown as an answer's evidence."""
        self.reader = reader
        self.embedder = embedder
        self._evidence = evidence

    # --- for front ends ---------------------------------------------------------------

    def ask(
        self,
        question: str,
        turns: Sequence[Turn] = (),
        filters: Filters = Filters(),  # noqa: B008
        *,
        mode: Mode | None = None,
    ) -> Reply:
        """Answer `question` in the light of `turns`, from what `filters` allow, in a `mode`.

        Raises `ExpectedError` at once for a question that is empty or too long; the
        reply's events raise it when there is no index to search.
        """
        asked = Asked(question=clean_question(question), turns=tuple(turns), filters=filters)
        return Reply(self._events(asked))

    @property
    def modes(self) -> tuple[Mode, ...]:
        """The ways of answering on offer, the default first."""
        return ("quotation",)

    def starters(self) -> tuple[str, ...]:
        """Questions to begin with, each of which the library answers."""
        with self.reader.lease() as index:
            finder = Finder(index, self.embedder)
            return starters(index.catalogue, lambda text: self._answers(finder, text, Filters()))

    def catalogue(self) -> Catalogue:
        """The documents and passages of the current generation."""
        with self.reader.lease() as index:
            return index.catalogue

    def find(
        self,
        question: str,
        turns: Sequence[Turn] = (),
        filters: Filters = Filters(),  # noqa: B008
        limit: int = 10,
    ) -> tuple[Hit, ...]:
        """The passages that an answer would be made of, best first; nothing is judged."""
        asked = Asked(question=clean_question(question), turns=tuple(turns), filters=filters)
        with self.reader.lease() as index:
            finder = Finder(index, self.embedder)
            question_read = read(asked, finder).question
            return merged(finder.find(question_read, filters, limit), limit)

    def retriever(self, limit: int = 6) -> PassageRetriever:
        """The retriever of single questions, as LangChain takes it."""
        return PassageRetriever(lease=self.reader.lease, embedder=self.embedder, limit=limit)

    # --- for LangChain ------------------------------------------------------------------

    def invoke(
        self, input: AssistantInput, config: RunnableConfig | None = None, **kwargs: Any
    ) -> Answer:
        """The whole answer."""
        return self._reply(input).answer()

    def stream(  # type: ignore[override]  # a reply is made of events, not of pieces of an answer
        self, input: AssistantInput, config: RunnableConfig | None = None, **kwargs: Any
    ) -> Iterator[Event]:
        """The events of the reply: evidence, deltas, done."""
        yield from self._reply(input)

    def _reply(self, given: AssistantInput) -> Reply:
        if isinstance(given, str):
            return self.ask(given)
        return self.ask(
            given["question"], given.get("turns", ()), given.get("filters") or Filters()
        )

    # --- the path -------------------------------------------------------------------------

    def _events(self, asked: Asked) -> Iterator[Event]:
        with self.reader.lease() as index:
            if which := phrases.small_talk(asked.question):
                yield from self._small_talk(which, asked, index)
                return
            finder = Finder(index, self.embedder)
            reading = read(asked, finder)
            found = finder.find(reading.question, asked.filters, max(READ, self._evidence))
            retrieved = asked.milliseconds
            said = [quote for one in found for quote in provenance(one, index.catalogue)]
            judged = [] if said else [_judged(one, finder) for one in found]
            shown = _evidence(merged(found, self._evidence), index)
            yield EvidenceEvent(evidence=shown)
            outcome = _Outcome(
                asked=asked, reading=reading, judged=judged, evidence=shown,
                index=index, model=self.embedder.name, retrieve_ms=retrieved,
            )  # fmt: skip
            if said or any(judgement.shortfall is None for judgement in judged):
                yield from self._quote(outcome, said or _chosen(judged, index), finder)
            else:
                yield from outcome.abstain()

    def _quote(
        self, outcome: "_Outcome", quotes: Sequence[Quote], finder: Finder
    ) -> Iterator[Event]:
        index = outcome.index
        conflicts = shown(quotes, index.catalogue, _nearness(outcome.judged))
        quotes, differing = with_both_sides(quotes, conflicts)
        composed = compose(quotes, index.catalogue)
        yield from _deltas(composed)
        suggestions = followups(
            outcome.reading.question.standalone,
            [evidence.hit for evidence in outcome.evidence],
            [quote.passage for quote in quotes],
            index.catalogue,
            lambda text: self._answers(finder, text, outcome.asked.filters),
        )
        differences = tuple(Difference(about=a, citations=numbers) for a, numbers in differing)
        yield DoneEvent(answer=outcome.answer(composed, suggestions, differences))

    def _answers(self, finder: Finder, text: str, filters: Filters) -> bool:
        """Whether the library answers `text`."""
        question = Question(asked=text, standalone=text, parts=parts_of(text))
        found = finder.find(question, filters, READ)
        return bool(found) and all(_judged(one, finder).shortfall is None for one in found)

    def _small_talk(self, which: str, asked: Asked, index: OpenIndex) -> Iterator[Event]:
        text = phrases.small_talk_reply(which, index.catalogue)
        yield DeltaEvent(text=text)
        finder = Finder(index, self.embedder)
        offered = starters(index.catalogue, lambda t: self._answers(finder, t, asked.filters))
        yield DoneEvent(
            answer=Answer(
                question=asked.question,
                standalone_question=asked.question,
                text=text,
                small_talk=True,
                followups=offered,
                generation=index.generation,
                embedding_model=self.embedder.name,
                timings_ms={"total": asked.milliseconds},
            )
        )


@dataclass(frozen=True, kw_only=True)
class _Outcome:
    """What is known of a question once its evidence is judged."""

    asked: Asked
    reading: Reading
    judged: list[Judgement]
    evidence: tuple[Evidence, ...]
    index: OpenIndex
    model: str
    retrieve_ms: float

    def answer(
        self,
        composed: Composed,
        suggestions: tuple[str, ...],
        differences: tuple[Difference, ...] = (),
    ) -> Answer:
        """The answer in quotations."""
        return Answer(
            question=self.asked.question,
            standalone_question=self.reading.question.standalone or self.asked.question,
            text=composed.text,
            statements=composed.statements,
            citations=composed.citations,
            differences=differences,
            notices=self._notices(composed),
            evidence=self.evidence,
            followups=suggestions,
            **self._provenance,
        )

    def abstain(self) -> Iterator[Event]:
        """The refusal, as events."""
        off_topic = not self.reading.question.parts or all(
            j.shortfall is Shortfall.NOTHING for j in self.judged
        )
        text = phrases.refusal(self.judged, instructed=not self.reading.question.parts)
        if self.reading.refusal:
            text = f"{self.reading.refusal} {text}"
        yield DeltaEvent(text=text)
        yield DoneEvent(
            answer=Answer(
                question=self.asked.question,
                standalone_question=self.reading.question.standalone or self.asked.question,
                text=text,
                abstention=AbstentionKind.OFF_TOPIC if off_topic else AbstentionKind.NO_EVIDENCE,
                nearest=self.evidence[:NEAREST],
                evidence=self.evidence,
                notices=self.reading.notices,
                **self._provenance,
            )
        )

    @cached_property
    def _provenance(self) -> dict[str, Any]:
        timings = {"retrieve": self.retrieve_ms, "total": self.asked.milliseconds}
        return {
            "generation": self.index.generation,
            "embedding_model": self.model,
            "timings_ms": timings,
        }

    def _notices(self, composed: Composed) -> tuple[str, ...]:
        notices = list(self.reading.notices)
        kinds = [{n.kind for n in citation.document.notices} for citation in composed.citations]
        if kinds and all("ai-generated" in of_document for of_document in kinds):
            notices.append(phrases.AI_ONLY)
        answered = [j for j in self.judged if j.shortfall is None]
        if answered and not any(j.sure for j in answered):
            notices.append(phrases.UNSURE)
        notices += [phrases.part_refused(j) for j in self.judged if j.shortfall is not None]
        return tuple(notices)


def _judged(found: Found, finder: Finder) -> Judgement:
    ranked = candidates(found, _weigh(finder.index), finder.index.catalogue)
    return judge(found, ranked, finder.in_context)


def _chosen(judged: Sequence[Judgement], index: OpenIndex) -> tuple[Quote, ...]:
    answered = [j for j in judged if j.shortfall is None]
    return choose([(j.found, j.candidates, j.most) for j in answered], _similarity(index))


def _nearness(judged: Sequence[Judgement]) -> Callable[[Side], float]:
    """How near a side of a difference is to the question, by the sentence it begins in."""
    near = {
        (candidate.passage.id, candidate.sentence.start): candidate.similarity
        for judgement in judged
        for candidate in judgement.candidates
    }
    return lambda side: near.get((side.passage.id, side.sentence.start), 0.0)


def _weigh(index: OpenIndex) -> Callable[[str], float]:
    """The weight of a term: BM25's inverse document frequency (Robertson and Zaragoza 2009)."""
    lexical, count = index.lexical, len(index.catalogue.passages)
    return lambda term: math.log(1 + (count + 0.5) / (lexical.frequency(term) + 0.5))


def _similarity(index: OpenIndex) -> Callable[[Candidate, Candidate], float]:
    """The cosine of two candidates' sentences."""

    @cache  # each is compared with several others
    def fetched(key: str) -> Vectors:
        return index.store.vectors("sentences", [key])[0]

    def vector(candidate: Candidate) -> Vectors:
        passage = candidate.passage
        return fetched(sentence_key(passage.id, passage.sentences.index(candidate.sentence)))

    return lambda one, other: float(vector(one) @ vector(other))


def _evidence(hits: Sequence[Hit], index: OpenIndex) -> tuple[Evidence, ...]:
    documents = index.catalogue.documents
    return tuple(Evidence(hit=hit, document=documents[hit.passage.document_id]) for hit in hits)


def _deltas(composed: Composed) -> Iterator[Event]:
    """The text in pieces that end with a marker, so that no marker is ever cut."""
    rest = composed.text
    for citation in composed.citations:
        marker = f"[{citation.number}]"
        head, _, rest = rest.partition(marker)
        yield DeltaEvent(text=head + marker)
