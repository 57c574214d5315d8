"""A written answer, sentence by sentence: drafts in, statements with exact quotes out.

Owns what becomes of a sentence that its passages bear, and of one that they do not;
which exact words each citation carries; that nothing is shown before a first sentence
is proved. Knows nothing of streams, of markers' looks or of chat models.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from assistant.agreement import figures_agree
from assistant.announcing import only_announces
from assistant.answers import Check, Citation, DeltaEvent, Difference, Statement
from assistant.drafts import ClaimedDifference, Draft, Joint
from assistant.flaws import Flaw, Unusable
from assistant.grounding import Composed, cited
from assistant.languages import is_english
from assistant.obedience import obeys, without_planted
from assistant.prompts import NO_ANSWER, is_echo
from assistant.quoting import Quote
from assistant.support import Reason, Support, SupportCheck
from corpus.documents import Passage, Sentence
from index.catalogue import Catalogue

_ABOUT_LIMIT = 120
_LEAST_WORDS = 3
_MOST_SENTENCES = 60
_DECLINES = re.compile(
    r"\b(?:I'm sorry|I am sorry|I apologi[sz]e|I can(?:no|')t|I am (?:not able|unable)|"
    r"as an AI|je suis désolée?|lo siento)\b",
    re.I,
)


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How an answer is held to its evidence.

    `leave_out`: unsupported sentences go instead of being marked; `foreign`: the answer
    may be in another language than its passages, where only its figures can be checked.
    """

    leave_out: bool = False
    foreign: bool = False


@dataclass(frozen=True, kw_only=True)
class _Verdict:
    """What is found of one sentence, with the words to quote for it."""

    supported: bool
    checked: Check
    score: float
    quotes: tuple[tuple[Passage, Sentence], ...]

    @property
    def stands(self) -> bool:
        return self.supported or self.checked == "figures"


_UNBORNE = _Verdict(supported=False, checked="meaning", score=0.0, quotes=())


class Proving:
    """Builds one answer. Add drafts in order, then finish; nothing of it outlives the answer."""

    def __init__(
        self, passages: Sequence[Passage], catalogue: Catalogue, check: SupportCheck, rules: Rules
    ) -> None:
        """`passages` are those of the prompt, in the order of their numbers."""
        self.left_out = 0
        self._passages = {passage.id: passage for passage in passages}
        self._bearing = [without_planted(passage) for passage in passages]
        self._catalogue = catalogue
        self._titles: Mapping[str, str] = {
            p.document_id: catalogue.documents[p.document_id].title for p in passages
        }
        self._check = check
        self._rules = rules
        self._text = ""
        self._statements: list[Statement] = []
        self._citations: list[Citation] = []
        self._waiting: list[Draft] = []
        self._held: list[DeltaEvent] = []
        self._proved = False
        self._read = 0
        self._marked = False
        self._declined = False
        self._lead = ""
        self._known: dict[tuple[str, tuple[int, ...]], _Verdict] = {}
        self._owed: Joint = ""
        self._in_list = False

    @property
    def shown(self) -> bool:
        """Whether anything has been given out."""
        return self._proved

    def add(self, draft: Draft) -> Iterator[DeltaEvent]:
        """Check a sentence; gives what may be shown now.

        A sentence without a marker waits for the next one of its paragraph: models often
        mark the last of several that rest on one passage. Raises `Unusable`.
        """
        if is_echo(draft.text):
            raise Unusable(Flaw.ECHO)
        self._read += 1
        if self._read > _MOST_SENTENCES:
            raise Unusable(Flaw.ENDLESS)
        if draft.text.strip(" .").upper() == NO_ANSWER:
            raise Unusable(Flaw.NO_ANSWER)
        self._marked = self._marked or bool(draft.passages)
        self._declined = self._declined or bool(_DECLINES.search(draft.text.replace("’", "'")))
        if draft.joint == "paragraph" and not self._announces():
            yield from self._give_up_waiting()
        if not draft.passages or (draft.is_lead and not self._verdict_of(draft).stands):
            self._waiting.append(draft)
            return
        waiting, self._waiting = self._waiting, []
        for earlier in waiting:
            yield from self._put(earlier, self._served(earlier, draft))
        yield from self._put(draft, self._verdict_of(draft))

    def finish(self) -> Iterator[DeltaEvent]:
        """The end of the answer. Raises `Unusable` when none of its sentences is proved."""
        yield from self._give_up_waiting()
        if self._proved:
            return
        if self._marked:
            raise Unusable(Flaw.UNPROVED)
        raise Unusable(Flaw.DECLINED if self._declined else Flaw.UNMARKED)

    def composed(self) -> Composed:
        """The text, its statements and its citations, as far as they have come."""
        return Composed(
            text=self._text,
            statements=tuple(self._statements),
            citations=tuple(self._citations),
        )

    def differences(self, claimed: Sequence[ClaimedDifference]) -> tuple[Difference, ...]:
        """The differences that the model names, as far as supported sentences quote both sides."""
        borne = {n for statement in self._statements if statement.supported
                 for n in statement.citations}  # fmt: skip
        found = []
        for difference in claimed:
            sides: dict[str, int] = {}
            for number in difference.passages:
                for citation in self._citations:
                    if citation.number in borne and self._is(citation.passage, number):
                        sides.setdefault(citation.document.id, citation.number)
            if len(sides) > 1:
                about = difference.about[:_ABOUT_LIMIT]
                found.append(Difference(about=about, citations=tuple(sorted(sides.values()))))
        return tuple(found)

    def _is(self, passage: Passage, number: int) -> bool:
        return self._bearing[number - 1].id == passage.id

    def _announces(self) -> bool:
        """Whether what waits announces what comes: "These take part:"."""
        return bool(self._waiting) and self._waiting[-1].is_lead

    def _give_up_waiting(self) -> Iterator[DeltaEvent]:
        waiting, self._waiting = self._waiting, []
        for draft in waiting:
            yield from self._put(draft, self._verdict_of(draft) if draft.passages else _UNBORNE)

    # --- what a sentence rests on ----------------------------------------------------------

    def _served(self, earlier: Draft, draft: Draft) -> _Verdict:
        """The verdict on a sentence that waited for the markers of `draft`.

        A line that only announces a list is borne by what bears the list's first item.
        """
        own = earlier if earlier.passages else earlier.resting_on(draft.passages)
        verdict = self._verdict_of(own)
        if verdict.stands:
            return verdict
        if earlier.is_lead and draft.joint == "item":
            item = self._verdict_of(draft, lead=earlier.text)
            if item.supported and any(
                only_announces(earlier.text, passage.text, self._context(passage))
                for passage, _ in item.quotes
            ):
                return item
        return verdict if earlier.passages else _UNBORNE

    def _context(self, passage: Passage) -> str:
        return ". ".join((self._titles[passage.document_id], *passage.heading))

    def _verdict_of(self, draft: Draft, lead: str = "") -> _Verdict:
        verdict = self._verdict(draft.text, draft.passages)
        if verdict.supported:
            return verdict
        tries = []
        lead = lead or self._lead
        if draft.joint == "item" and lead:
            tries.append(self._verdict(f"{lead} {draft.text}", draft.passages))
        if len(draft.segments) > 1:
            tries.append(self._by_segments(draft))
        return next((one for one in tries if one.supported), verdict)

    def _by_segments(self, draft: Draft) -> _Verdict:
        """The verdict on a sentence whose parts rest on different passages: all must hold."""
        parts = [s for s in draft.segments if len(s.text.split()) >= _LEAST_WORDS]
        last = draft.segments[-1].text
        is_whole = draft.text.rstrip(" .!?").endswith(last.rstrip(" .!?"))
        verdicts = [self._verdict(part.text, part.passages) for part in parts]
        if (
            len(parts) != len(draft.segments)
            or not is_whole
            or not all(verdict.supported for verdict in verdicts)
        ):
            return _UNBORNE
        quotes = dict.fromkeys(quote for verdict in verdicts for quote in verdict.quotes)
        return _Verdict(
            supported=True,
            checked="meaning",
            score=min(verdict.score for verdict in verdicts),
            quotes=tuple(quotes),
        )

    def _verdict(self, text: str, numbers: Sequence[int]) -> _Verdict:
        """The verdict on `text` from each of the passages it names, once worked out, kept."""
        key = (text, tuple(numbers))
        if key not in self._known:
            self._known[key] = self._compared(text, numbers)
        return self._known[key]

    def _compared(self, text: str, numbers: Sequence[int]) -> _Verdict:
        """Those passages that bear it are quoted; if none does, the nearest words are."""
        found = [
            self._check.check(text, [self._bearing[number - 1]], titles=self._titles)
            for number in numbers
        ]
        bearing = [support for support in found if support.supported]
        if bearing:
            return self._of(bearing, supported=True)
        if self._rules.foreign and not is_english(text):
            agreeing = [support for support in found if _figures_agree(text, support)]
            if agreeing:
                return self._of(agreeing, supported=False, checked="figures")
        return self._of([max(found, key=lambda support: support.score)], supported=False)

    def _of(
        self, found: Sequence[Support], *, supported: bool, checked: Check = "meaning"
    ) -> _Verdict:
        quotes = {
            (self._passages[one.passage.id], one.sentence): None
            for one in found
            if one.passage is not None and one.sentence is not None
        }
        return _Verdict(
            supported=supported and bool(quotes),
            checked=checked,
            score=max(one.score for one in found),
            quotes=tuple(quotes),
        )

    # --- the text --------------------------------------------------------------------------

    def _put(self, draft: Draft, verdict: _Verdict) -> Iterator[DeltaEvent]:
        if draft.joint == "paragraph":
            self._lead = ""
        if draft.is_lead:
            self._lead = draft.text
        if not verdict.supported and obeys(draft.text, list(self._passages.values())):
            raise Unusable(Flaw.OBEDIENT)
        joint = draft.joint or self._owed
        if not verdict.stands and self._rules.leave_out:
            self.left_out += 1
            self._owed = joint
            return
        self._owed = ""
        numbers = tuple(dict.fromkeys(self._number(*quote) for quote in verdict.quotes))
        markers = "".join(f"[{number}]" for number in numbers)
        piece = f"{self._gap(joint)}{draft.text}{markers and f' {markers}'}"
        self._text += piece
        self._statements.append(
            Statement(
                text=draft.text,
                citations=numbers,
                supported=verdict.supported,
                support=verdict.score,
                checked=verdict.checked,
            )
        )
        self._held.append(
            DeltaEvent(text=piece, supported=verdict.supported, checked=verdict.checked)
        )
        self._proved = self._proved or verdict.stands
        if self._proved:
            held, self._held = self._held, []
            yield from held

    def _gap(self, joint: Joint) -> str:
        """What stands between the text so far and the next sentence."""
        was_list, self._in_list = self._in_list, joint == "item" or (self._in_list and not joint)
        if joint == "item":
            return "- " if not self._text else "\n- " if was_list else "\n\n- "
        if not self._text:
            return ""
        return "\n\n" if joint == "paragraph" else " "

    def _number(self, passage: Passage, sentence: Sentence) -> int:
        """The number of the citation of these words; numbers follow first use."""
        for citation in self._citations:
            if (citation.passage.id, citation.start, citation.end) == (
                passage.id, sentence.start, sentence.end,
            ):  # fmt: skip
                return citation.number
        number = len(self._citations) + 1
        quote = Quote(passage=passage, sentence=sentence, group=0)
        self._citations.append(cited(number, quote, self._catalogue))
        return number


def _figures_agree(text: str, support: Support) -> bool:
    """Whether the figures and dates of a sentence are those of the nearest words of a passage."""
    if support.reason is Reason.LANGUAGE:
        return True
    if support.passage is None or support.sentence is None:
        return False
    return figures_agree(text, support.passage.sentence_text(support.sentence))
