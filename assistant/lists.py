"""Lists inside a passage: their lead-in and their items, as sentences.

Owns which sentences belong to one list. Knows nothing of questions or scores.
"""

from corpus.documents import Passage, Sentence

MOST_ITEMS = 15


def lists_of(passage: Passage) -> list[list[Sentence]]:
    """Each list of a passage, with its lead-in where it has one."""
    runs = [list_around(passage, sentence) for sentence in passage.sentences]
    return [
        run for run, first in zip(runs, passage.sentences, strict=True) if run and run[0] is first
    ]


def list_around(passage: Passage, sentence: Sentence) -> list[Sentence]:
    """The lead-in and all items of the list that `sentence` is part of; empty if of none."""
    sentences = list(passage.sentences)
    at = sentences.index(sentence)
    first = at if sentence.is_item else at + 1
    if first >= len(sentences) or not sentences[first].is_item:
        return []
    if not sentence.is_item and not leads_in(passage, sentence):
        return []
    while first > 0 and sentences[first - 1].is_item:
        first -= 1
    last = first
    while last + 1 < len(sentences) and sentences[last + 1].is_item:
        last += 1
    lead = first - 1 if first and leads_in(passage, sentences[first - 1]) else first
    return sentences[lead : last + 1][: MOST_ITEMS + 1]


def lead_in(passage: Passage, sentence: Sentence) -> Sentence | None:
    """The sentence that leads into the list that `sentence` is an item of."""
    if not sentence.is_item:
        return None
    first = list_around(passage, sentence)[0]
    return None if first.is_item else first


def leads_in(passage: Passage, sentence: Sentence) -> bool:
    """Whether a sentence announces a list: it ends with a colon."""
    return passage.sentence_text(sentence).rstrip().endswith(":")
