"""Reading a question: its language, its spelling, what it follows, what it asks.

Owns the order in which those are worked out, and what the asker is told of them.
Knows nothing of evidence or answers.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from assistant import phrases
from assistant.answers import Turn
from assistant.finding import Finder
from assistant.followups import Standalone, needs_conversation, standalone
from assistant.languages import in_english, language_of, refusal_in
from assistant.model_limits import ModelError, ModelFault
from assistant.questions import Question, parts_of, without_instructions
from index.retrieval import Filters

Rewrite = Callable[[str, Sequence[Turn]], str]
"""A question and the conversation → the question in English, standing alone; empty if that
failed. Raises `ModelError`."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One question on its way: what came in (cleaned), and when."""

    question: str
    turns: tuple[Turn, ...]
    filters: Filters
    started: float = field(default_factory=time.perf_counter)

    @property
    def milliseconds(self) -> float:
        """How long ago it came in."""
        return (time.perf_counter() - self.started) * 1000


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A question as it was understood; `refusal` opens a refusal in the asker's language.

    `language` is the asker's (`en`, `fr`, …, `other`); `fault` why a chat model could not
    rewrite the question, where it was asked to.
    """

    question: Question
    notices: tuple[str, ...] = ()
    refusal: str = ""
    language: str = "en"
    fault: ModelFault | None = None


def read(asked: Asked, finder: Finder, rewrite: Rewrite | None = None) -> Reading:
    """The question as it can be searched for, and what to tell the asker of how it was read.

    `rewrite` is tried where the question leans on the conversation or is not in English;
    rules do it where there is none, or it fails.
    """
    language = language_of(asked.question)
    fault: ModelFault | None = None
    if rewrite and (language != "en" or needs_conversation(asked.question, asked.turns)):
        try:
            alone = rewrite(asked.question, asked.turns)
        except ModelError as error:
            fault = error.fault
        else:
            if alone:
                return _reading(asked, Standalone(text=alone), language=language)
    return replace(_by_rule(asked, finder), language=language, fault=fault)


def _by_rule(asked: Asked, finder: Finder) -> Reading:
    language = in_english(asked.question)
    mended = finder.mend(language.text)
    reading = _reading(asked, standalone(mended.text, asked.turns))
    changes = (phrases.read_as(*change) for change in mended.changes)
    return replace(reading, notices=(*language.notices, *changes), refusal=language.refusal)


def _reading(asked: Asked, alone: Standalone, *, language: str = "en") -> Reading:
    bare = without_instructions(alone.text)
    parts = parts_of(bare, alone.topic) if bare else ()
    whole = str(replace(alone, text=bare)) if bare else ""
    return Reading(
        question=Question(asked=asked.question, standalone=whole, parts=parts),
        refusal=refusal_in(language),
        language=language,
    )
