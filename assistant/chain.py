"""The path of a question: read, find, judge, then quote or write, cite.

Owns the order of the steps and what becomes of each outcome. Each step is a module
of its own; nothing of one question is kept for the next.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from langchain_core.runnables import Runnable, RunnableConfig

from assistant import phrases
from assistant.answers import (
    Answer,
    DeltaEvent,
    DoneEvent,
    Event,
    Evidence,
    EvidenceEvent,
    Mode,
    Reply,
    Turn,
)
from assistant.finding import Finder, merged
from assistant.questions import Question, clean_question, parts_of
from assistant.quotation import Content, Outcome, deltas, judged
from assistant.quoting import Quote, provenance
from assistant.suggestions import followups, starters
from assistant.understanding import Asked, read
from index.catalogue import Catalogue
from index.embeddings import Embedder
from index.passage_retriever import PassageRetriever
from index.reader import IndexReader, OpenIndex
from index.reranking import load_reranker
from index.retrieval import Filters, Hit

if TYPE_CHECKING:
    from assistant.writing import Writer

# More passages than an answer shows are read for the sentence that answers.
READ = 8

AssistantInput = str | Mapping[str, Any]
"""A question, or `{"question", "turns", "filters", "mode"}`; all but the first may be missing."""


class Assistant(Runnable[AssistantInput, Answer]):
    """Answers questions from one index, each sentence with its exact quote; threads may share it.

    As a LangChain runnable it takes a question (or a mapping with `question`, `turns`,
    `filters` and `mode`) and gives an `Answer`; `stream` gives the reply's events.
    """

    def __init__(
        self,
        reader: IndexReader,
        embedder: Embedder,
        *,
        evidence: int = 6,
        writer: "Writer | None" = None,
        modes: Sequence[Mode] = ("written", "quotation"),
    ) -> None:
        """`evidence` is the number of passages shown as an answer's evidence.

        `modes` are the ways of answering on offer, the default first; without a `writer`
        there is only `quotation`.
        """
        self.reader = reader
        self.embedder = embedder
        self._reranker = load_reranker(embedder)
        self._evidence = evidence
        self._writer = writer
        self._modes: tuple[Mode, ...] = tuple(modes) if writer else ("quotation",)

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

        A mode that is not on offer gives the default one; the answer says which it is in.
        Raises `ExpectedError` at once for a question that is empty or too long; the
        reply's events raise it when there is no index to search.
        """
        asked = Asked(question=clean_question(question), turns=tuple(turns), filters=filters)
        written = (mode if mode in self._modes else self._modes[0]) == "written"
        return Reply(self._events(asked, self._writer if written else None))

    @property
    def modes(self) -> tuple[Mode, ...]:
        """The ways of answering on offer, the default first."""
        return self._modes

    def starters(self) -> tuple[str, ...]:
        """Questions to begin with, each of which the library answers."""
        with self.reader.lease() as index:
            return starters(index.catalogue, self._answered(index, Filters()))

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
            finder = self.finder(index)
            question_read = read(asked, finder).question
            return merged(finder.find(question_read, filters, limit), limit)

    def finder(self, index: OpenIndex) -> Finder:
        """What finds the evidence in an open index."""
        return Finder(index, self.embedder, self._reranker)

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
            given["question"],
            given.get("turns", ()),
            given.get("filters") or Filters(),
            mode=given.get("mode"),
        )

    # --- the path -------------------------------------------------------------------------

    def _events(self, asked: Asked, writer: "Writer | None") -> Iterator[Event]:
        with self.reader.lease() as index:
            if which := phrases.small_talk(asked.question):
                yield from self._small_talk(which, asked, index)
                return
            finder = self.finder(index)
            reading = read(asked, finder, writer.rewritten if writer else None)
            found = finder.find(reading.question, asked.filters, max(READ, self._evidence))
            retrieved = asked.milliseconds
            said = [quote for one in found for quote in provenance(one, index.catalogue)]
            shown = _evidence(merged(found, self._evidence), index)
            yield EvidenceEvent(evidence=shown)
            outcome = Outcome(
                asked=asked,
                reading=reading,
                judged=() if said else tuple(judged(one, finder) for one in found),
                evidence=shown,
                index=index,
                embedding_model=self.embedder.name,
                retrieve_ms=retrieved,
            )
            if said:
                yield from self._quote(outcome, said)
            elif not outcome.answered:
                refusal = outcome.refusal()
                yield DeltaEvent(text=refusal.text)
                yield DoneEvent(answer=refusal)
            elif writer is None or reading.fault is not None:
                yield from self._quote(outcome, outcome.chosen())
            else:
                yield from self._write(outcome, writer)

    def _quote(self, outcome: Outcome, quotes: Sequence[Quote]) -> Iterator[Event]:
        fault = outcome.reading.fault
        content = outcome.quoted(quotes)
        if fault is not None:
            content = replace(content, notices=(phrases.model_failed(fault),))
        yield from deltas(content.composed)
        yield self._done(outcome, content)

    def _write(self, outcome: Outcome, writer: "Writer") -> Iterator[Event]:
        quotes = outcome.chosen()
        content = yield from writer.write(outcome, quotes)
        if not isinstance(content, Content):
            failed, content = content, outcome.quoted(quotes)
            content = replace(content, notices=(failed.notice,))
            if not failed.shown:  # else the answer takes the place of what was
                yield from deltas(content.composed)
        yield self._done(outcome, content)

    def _done(self, outcome: Outcome, content: Content) -> Event:
        suggestions = followups(
            outcome.reading.question.standalone,
            [evidence.hit for evidence in outcome.evidence],
            [citation.passage for citation in content.composed.citations],
            outcome.index.catalogue,
            self._answered(outcome.index, outcome.asked.filters),
        )
        return DoneEvent(answer=outcome.answer(replace(content, followups=suggestions)))

    def _answered(self, index: OpenIndex, filters: Filters) -> Callable[[str], bool]:
        """Tells whether the library answers a suggestion, by the index alone."""
        # To read sentences again for each would take longer than the answer itself.
        plain = Finder(index, self.embedder)

        def answered(text: str) -> bool:
            question = Question(asked=text, standalone=text, parts=parts_of(text))
            found = plain.find(question, filters, READ)
            return bool(found) and all(judged(one, plain).shortfall is None for one in found)

        return answered

    def _small_talk(self, which: str, asked: Asked, index: OpenIndex) -> Iterator[Event]:
        every = index.catalogue.documents.values()
        allowed = [document for document in every if asked.filters.allows(document)]
        text = phrases.small_talk_reply(which, allowed)
        yield DeltaEvent(text=text)
        offered = starters(index.catalogue, self._answered(index, asked.filters))
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


def _evidence(hits: Sequence[Hit], index: OpenIndex) -> tuple[Evidence, ...]:
    documents = index.catalogue.documents
    return tuple(Evidence(hit=hit, document=documents[hit.passage.document_id]) for hit in hits)
