"""Whether a passage bears a written sentence: sentence and passages in, a verdict out.

Owns the thresholds of meaning and which exact words of a passage bear a statement. What the
words claim is `claims`, whether claims agree `agreement`. Knows nothing of markers, of streams
or of chat models.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np

from assistant.agreement import figures_agree, flaw_of
from assistant.claims import claims_of
from assistant.languages import language_of
from corpus.documents import Passage, Sentence
from index.embeddings import Vectors

# Learned on the development half of tests/data/support_pairs.jsonl (README, "Written answers").
NEAR = 0.55
"""Least cosine of a statement and the words that bear it."""
SAME_WORD = 0.6
"""Cosine of two words from which one may stand for the other."""
MOST_NEW = 0.34
"""Most of a statement's words, as a share, that the source may not have."""
VERY_NEAR = 0.85
MOST_NEW_VERY_NEAR = 0.45
"""The same for a statement of at least this cosine."""
LONGEST_NEW = 2.4
"""Most words in a row that the source may not have."""
LEAST_SURE = 0.35
"""Least cosine less the share of new words."""
TRIED = 6
"""So many of the nearest windows are held against the statement."""
_WORDS_KEPT = 4096


class Encoder(Protocol):
    """What gives vectors: `index.embeddings.Embedder` is one."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One row of length 1 for each text."""


class Reason(StrEnum):
    """Why a statement is supported or not; the first that holds, facts before meaning.

    `LANGUAGE`: another language than English, but every figure of it stands in the sentence.
    """

    SUPPORTED = "supported"
    EMPTY = "no passage"
    LANGUAGE = "another language"
    NUMBER = "number"
    DATE = "date"
    NAME = "name"
    NEGATION = "negation"
    ADDITION = "addition"
    MEANING = "meaning"


@dataclass(frozen=True, kw_only=True)
class Support:
    """How well passages bear a statement.

    `score` is 0…1. `passage` and `sentence` are the words to quote: those that bear the
    statement, or, where none does, the nearest ones (None only without any sentence). A
    sentence may span neighbours of its passage; `passage.sentence_text(sentence)` and
    `document.text[sentence.start:sentence.end]` are its exact words.
    """

    score: float
    supported: bool
    passage: Passage | None
    sentence: Sentence | None
    reason: Reason


@dataclass(frozen=True, kw_only=True)
class _Window:
    """Words that may bear a statement: what to quote, and the text with its lead-in."""

    passage: Passage
    sentence: Sentence
    text: str


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """How near a source is: cosine (0…1), and the words of the statement that it lacks.

    `new` is their share of all its words of content, each weighed 0…1 by how unlike every
    word of the source it is; `newest` the heaviest weight of one; `run` the heaviest sum of
    weights of words in a row.
    """

    cosine: float
    new: float
    newest: float
    run: float


class SupportCheck:
    """Checks statements against passages. Threads may share it if they may share `encoder`."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._words: OrderedDict[str, Vectors] = OrderedDict()
        self._lock = threading.Lock()

    def check(
        self,
        statement: str,
        passages: Sequence[Passage],
        *,
        titles: Mapping[str, str] | None = None,
    ) -> Support:
        """Whether one sentence, or two neighbours, or a list of `passages` bears `statement`.

        `statement` is one sentence without its markers; `passages` those its markers name;
        `titles` the titles of their documents by document id, so that "the Council" may stand
        for what the title names.
        """
        windows = [window for passage in passages for window in _windows(passage)]
        if not windows or not statement.strip():
            return Support(
                score=0.0, supported=False, passage=None, sentence=None, reason=Reason.EMPTY
            )
        rows = self._encoder.encode([statement, *(window.text for window in windows)])
        cosines = rows[1:] @ rows[0]
        order = np.argsort(-cosines, kind="stable")
        tried = [(windows[at], float(np.clip(cosines[at], 0.0, 1.0))) for at in order[:TRIED]]
        if language_of(statement) != "en":
            return _by_figures(statement, tried)
        verdicts = []
        for window, cosine in tried:
            context = _context(window.passage, titles or {})
            reason = self._reason(statement, window, context, cosine)
            verdicts.append(_support(window, cosine, reason))
        denying = [verdict for verdict in verdicts if verdict.reason is Reason.NEGATION]
        for verdict in verdicts:
            if verdict.supported and not _denies(statement, verdict, denying):
                return verdict
        return denying[0] if any(verdict.supported for verdict in verdicts) else verdicts[0]

    def _reason(self, statement: str, window: _Window, context: str, cosine: float) -> Reason:
        flaw = flaw_of(statement, window.text, context)
        if flaw is not None:
            return Reason(flaw.value)
        meaning = self.meaning(statement, window.text, context, cosine)
        if meaning.cosine < NEAR:
            return Reason.MEANING
        most = MOST_NEW_VERY_NEAR if cosine >= VERY_NEAR else MOST_NEW
        is_new = meaning.new > most or meaning.run > LONGEST_NEW
        if is_new or cosine - meaning.new < LEAST_SURE:
            return Reason.ADDITION
        return Reason.SUPPORTED

    def meaning(self, statement: str, source: str, context: str, cosine: float) -> Meaning:
        """How near `source`, under the title and headings in `context`, is to `statement`."""
        said, held, around = claims_of(statement), claims_of(source), claims_of(context)
        known = {stem for stem in (*held.stems, *around.stems) if stem}
        places = [at for at, stem in enumerate(said.stems) if stem and stem not in known]
        total = sum(1 for stem in said.stems if stem)
        weights = dict.fromkeys(range(len(said.stems)), 0.0)
        theirs = sorted({held.words[at] for at, stem in enumerate(held.stems) if stem})
        if places and theirs:
            rows = self._word_rows([said.words[at] for at in places])
            likeness = (rows @ self._word_rows(theirs).T).max(axis=1)
            for at, like in zip(places, likeness, strict=True):
                weights[at] = float(np.clip((1.0 - like) / (1.0 - SAME_WORD), 0.0, 1.0))
        run = best = 0.0
        for at, stem in enumerate(said.stems):
            if not stem:
                continue
            run = run + weights[at] if weights[at] > 0.5 else 0.0
            best = max(best, run)
        return Meaning(
            cosine=cosine,
            new=sum(weights.values()) / max(1, total),
            newest=max(weights.values(), default=0.0),
            run=best,
        )

    def _word_rows(self, words: Sequence[str]) -> Vectors:
        """The vectors of single words; those of the last few thousand are kept."""
        with self._lock:
            kept = {word: self._words[word] for word in words if word in self._words}
        missing = sorted(set(words) - kept.keys())
        kept.update(zip(missing, self._encoder.encode(missing), strict=True))
        with self._lock:
            for word in words:
                self._words[word] = kept[word]
                self._words.move_to_end(word)
            while len(self._words) > _WORDS_KEPT:
                self._words.popitem(last=False)
        return np.stack([kept[word] for word in words])


def _by_figures(statement: str, tried: Sequence[tuple[_Window, float]]) -> Support:
    """The verdict where the statement's language can't be compared: its figures only."""
    verdicts = [
        _support(
            window,
            cosine,
            Reason.LANGUAGE if figures_agree(statement, window.text) else Reason.NUMBER,
        )
        for window, cosine in tried
    ]
    return next((v for v in verdicts if v.reason is Reason.LANGUAGE), verdicts[0])


def _context(passage: Passage, titles: Mapping[str, str]) -> str:
    return ". ".join((titles.get(passage.document_id, ""), *passage.heading))


def _new_stems(statement: str, source: str) -> set[str]:
    held = set(claims_of(source).stems)
    return {stem for stem in claims_of(statement).stems if stem and stem not in held}


def _denies(statement: str, verdict: Support, denying: Sequence[Support]) -> bool:
    """Whether another sentence denies what the one that bears the statement does not even say.

    "The Principles are binding" is near to "The Principles date from 2011", and only the
    sentence that they are not binding speaks of what is claimed.
    """
    new = _new_stems(statement, _words_of(verdict))
    for other in denying:
        lacks = _new_stems(statement, _words_of(other))
        nearer = other.score >= verdict.score or not lacks or lacks < new
        if nearer and not _overlap(verdict, other):
            return True
    return False


def _overlap(one: Support, two: Support) -> bool:
    if one.sentence is None or two.sentence is None or one.passage != two.passage:
        return False
    return one.sentence.start < two.sentence.end and two.sentence.start < one.sentence.end


def _words_of(verdict: Support) -> str:
    if verdict.passage is None or verdict.sentence is None:
        return ""
    return verdict.passage.sentence_text(verdict.sentence)


def _support(window: _Window, cosine: float, reason: Reason) -> Support:
    return Support(
        score=cosine,
        supported=reason is Reason.SUPPORTED,
        passage=window.passage,
        sentence=window.sentence,
        reason=reason,
    )


def _windows(passage: Passage) -> Iterator[_Window]:
    """Each sentence, each item with the lead-in of its list, neighbours, and lists as wholes."""
    lead: Sentence | None = None
    before: Sentence | None = None
    items: list[Sentence] = []
    for sentence in passage.sentences:
        if sentence.is_item:
            items.append(sentence)
            text = passage.sentence_text(sentence)
            head = passage.sentence_text(lead) if lead else ""
            yield _Window(passage=passage, sentence=sentence, text=f"{head} {text}".strip())
        else:
            yield from _whole(passage, lead, items)
            items, lead = [], sentence
            yield _Window(passage=passage, sentence=sentence, text=passage.sentence_text(sentence))
        if before is not None and not (items and len(items) == 1 and lead is before):
            yield _joined(passage, before, sentence, lead if sentence.is_item else None)
        before = sentence
    yield from _whole(passage, lead, items)


def _whole(passage: Passage, lead: Sentence | None, items: Sequence[Sentence]) -> Iterator[_Window]:
    if lead is not None and len(items) > 1:
        yield _joined(passage, lead, items[-1], None)


def _joined(passage: Passage, first: Sentence, last: Sentence, lead: Sentence | None) -> _Window:
    span = Sentence(start=first.start, end=last.end)
    text = passage.sentence_text(span)
    head = passage.sentence_text(lead) if lead is not None and lead is not first else ""
    return _Window(passage=passage, sentence=span, text=f"{head} {text}".strip())
