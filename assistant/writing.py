"""Written answers: evidence in, a chat model's text out, proved sentence by sentence.

Owns what a model is given, what becomes of its answer and of its failures. A model that
fails is asked once and never again for the same answer. Knows nothing of how evidence is
found or of what a front end shows.
"""

import logging
import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import cast

from assistant import phrases
from assistant.answers import DeltaEvent, Difference, Turn
from assistant.differences import with_both_sides, without_repeats
from assistant.finding import merged
from assistant.flaws import Unusable
from assistant.grounding import Composed, extended
from assistant.models import ChatModel, ModelError
from assistant.prompts import (
    REWRITTEN_LIMIT,
    answer_messages,
    language_name,
    rewrite_messages,
    within_limit,
)
from assistant.proving import Proving, Rules
from assistant.quotation import Content, Outcome
from assistant.quoting import Quote
from assistant.rendering import plain
from assistant.streaming import Grounder
from assistant.support import SupportCheck
from corpus.documents import Passage, Sentence

_REWRITE_TOKENS = 120
_NOWHERE = Sentence(start=0, end=0)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Failed:
    """No written answer: what to tell the visitor, and whether some of it was shown already."""

    notice: str
    shown: bool


@dataclass(frozen=True, kw_only=True)
class _Written:
    """What a model wrote, checked, with the differences that it names."""

    composed: Composed
    differences: tuple[Difference, ...]
    left_out: int


@dataclass(frozen=True, kw_only=True)
class Writer:
    """Writes answers by a chat model; threads may share it.

    `leave_out`: sentences that nothing supports are left out instead of being marked.
    """

    model: ChatModel
    check: SupportCheck
    leave_out: bool = False

    def rewritten(self, question: str, turns: Sequence[Turn]) -> str:
        """`question` as one in English that needs no conversation; empty if none came back.

        Raises `ModelError`.
        """
        said = self.model.complete(rewrite_messages(question, turns), most_tokens=_REWRITE_TOKENS)
        line = " ".join(plain(re.sub(r"<[^<>]*>", "", said)).split()).strip("\"“”'‘’ ")
        usable = any(char.isalpha() for char in line) and len(line) <= REWRITTEN_LIMIT
        return line if usable and not line.startswith(("{", "[")) else ""

    def write(
        self, outcome: Outcome, quotes: Sequence[Quote]
    ) -> Generator[DeltaEvent, None, Content | Failed]:
        """Write the answer to a question that its evidence answers; gives it piece by piece.

        `quotes` are the sentences that the answer in quotations is made of. Nothing is
        given before a first sentence is proved. Closing the generator ends the model's
        stream.
        """
        passages = _passages(outcome, quotes)
        foreign = outcome.reading.language != "en"
        rules = Rules(leave_out=self.leave_out, foreign=foreign)
        proving = Proving(passages, outcome.index.catalogue, self.check, rules)
        try:
            written = yield from self._written(outcome, passages, proving)
        except ModelError as error:
            return Failed(notice=phrases.model_failed(error.fault), shown=proving.shown)
        except Unusable as error:
            # The flaw alone: the text may hold anything.
            _log.warning("a written answer was dropped: %s", error.flaw.name)
            return Failed(notice=phrases.answer_dropped(error.flaw), shown=proving.shown)
        content = self._with_differences(outcome, quotes, written)
        added = content.composed.text[len(written.composed.text) :]
        if added:
            yield DeltaEvent(text=added)
        return content

    def _written(
        self, outcome: Outcome, passages: Sequence[Passage], proving: Proving
    ) -> Generator[DeltaEvent, None, _Written]:
        reading = outcome.reading
        messages = answer_messages(
            reading.question.standalone or outcome.asked.question,
            language_name(reading.language, outcome.asked.question),
            passages,
            outcome.index.catalogue.documents,
        )
        grounder = Grounder(len(passages))
        stream = cast("Generator[str]", self.model.stream(messages))
        with closing(stream):
            for piece in stream:
                for draft in grounder.feed(piece):
                    yield from proving.add(draft)
        for draft in grounder.finish():
            yield from proving.add(draft)
        yield from proving.finish()
        return _Written(
            composed=proving.composed(),
            differences=proving.differences(grounder.differences),
            left_out=proving.left_out,
        )

    def _with_differences(
        self, outcome: Outcome, quotes: Sequence[Quote], written: _Written
    ) -> Content:
        """The answer with both sides of every difference that the library states.

        Those are the ones that the answer in quotations would show, and those that the
        written one touches.
        """
        catalogue = outcome.index.catalogue
        own = _quotes_of(written.composed)
        conflicts = without_repeats([*outcome.conflicts(own), *outcome.conflicts(quotes)])
        every, differing = with_both_sides(own, conflicts)
        stated = [Difference(about=about, citations=numbers) for about, numbers in differing]
        composed = extended(written.composed, every[len(own) :], catalogue)
        known = {_documents(composed, difference) for difference in stated}
        named = [d for d in written.differences if _documents(composed, d) not in known]
        return Content(
            composed=composed,
            differences=(*stated, *named),
            mode="written",
            model=self.model.name,
            notices=tuple(_notices(outcome, written)),
        )


def _notices(outcome: Outcome, written: _Written) -> Iterator[str]:
    if written.left_out:
        yield phrases.left_out(written.left_out)
    if any(statement.checked == "figures" for statement in written.composed.statements):
        yield phrases.FIGURES_ONLY


def _passages(outcome: Outcome, quotes: Sequence[Quote]) -> tuple[Passage, ...]:
    """The passages to write from, the best first: those quoted, the other evidence, both sides."""
    cited = {quote.passage.id: quote.passage for quote in quotes}
    hits = merged([judgement.found for judgement in outcome.answered], len(outcome.evidence))
    near = {hit.passage.id: hit.passage for hit in hits}
    sides: dict[str, Passage] = {}
    for conflict in outcome.conflicts(quotes):
        sides |= {side.passage.id: side.passage for side in conflict.sides}
    return within_limit(tuple({**cited, **sides, **near}.values()))


def _quotes_of(composed: Composed) -> tuple[Quote, ...]:
    """The citations as quotes, in their order.

    One that bears no statement is nobody's side of a difference: it stands nowhere.
    """
    borne = {n for s in composed.statements if s.supported for n in s.citations}
    return tuple(
        Quote(
            passage=citation.passage,
            sentence=Sentence(start=citation.start, end=citation.end)
            if citation.number in borne
            else _NOWHERE,
            group=0,
        )
        for citation in composed.citations
    )


def _documents(composed: Composed, difference: Difference) -> frozenset[str]:
    return frozenset(composed.citations[n - 1].document.id for n in difference.citations)
