"""Sentences that can't stand alone: what they announce, or what they lean on.

Owns what must be quoted beside a sentence so that it can be understood. Knows nothing of
questions or scores; lists and their lead-ins are `lists`' business.
"""

import re

from corpus.documents import Passage, Sentence

# A sentence that opens like this leans on the one before it.
_POINTS_BACK = re.compile(
    r"^\W*(?:[\w’'-]+\W+){0,4}?(this|these|those|such|they|them|their|its|it|he|she|both)\b", re.I
)


def tells(passage: Passage, sentence: Sentence) -> bool:
    """Whether a sentence, or an item after its lead-in, says something."""
    return not passage.sentence_text(sentence).rstrip().endswith((":", "?"))


def leans(passage: Passage, at: int) -> bool:
    """Whether the sentence at `at` opens by pointing back to the one before it."""
    return bool(_POINTS_BACK.match(passage.sentence_text(passage.sentences[at])))


def antecedent(passage: Passage, sentence: Sentence) -> Sentence | None:
    """The sentence before this one, if this one leans on it and it can be quoted.

    `sentence` may be any span of the passage: a side of a difference goes over several.
    """
    at = next(at for at, one in enumerate(passage.sentences) if one.end > sentence.start)
    if not at or not leans(passage, at):
        return None
    before = passage.sentences[at - 1]
    return None if before.is_item or not tells(passage, before) else before
