"""Reading a question: its language, its spelling, what it follows, what it asks.

Owns the order in which those are worked out, and what the asker is told of them.
Knows nothing of evidence or answers.
"""

import time
from dataclasses import dataclass, field, replace

from assistant import phrases
from assistant.answers import Turn
from assistant.finding import Finder
from assistant.followups import standalone
from assistant.languages import in_english
from assistant.questions import Question, parts_of, without_instructions
from index.retrieval import Filters


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
    """A question as it was understood; `refusal` opens a refusal in the asker's language."""

    question: Question
    notices: tuple[str, ...] = ()
    refusal: str = ""


def read(asked: Asked, finder: Finder) -> Reading:
    """The question as it can be searched for, and what to tell the asker of how it was read."""
    language = in_english(asked.question)
    mended = finder.mend(language.text)
    alone = standalone(mended.text, asked.turns)
    bare = without_instructions(alone.text)
    parts = parts_of(bare, alone.topic) if bare else ()
    whole = str(replace(alone, text=bare)) if bare else ""
    return Reading(
        question=Question(asked=asked.question, standalone=whole, parts=parts),
        notices=(*language.notices, *(phrases.read_as(*change) for change in mended.changes)),
        refusal=language.refusal,
    )
