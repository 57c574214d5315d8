"""Whether a written answer does what a document told it to.

Owns how a sentence is recognised that gives a reader's machine instructions, and how an
answer that obeys it. No pattern finds every one: what this misses still has to be
supported by its source like any other sentence.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from corpus.documents import Passage, Sentence
from index.lexical import terms

_PLANTED = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass)\b[^.!?]{0,40}"
    r"\b(?:instructions?|rules|prompts?|guidelines|(?:the|everything|all) above)\b"
    r"|(?:^|[.:;,]\s*|\b(?:and|then|please|now|must|should|always|only)\s+)"
    r"(?:reply|respond|answer|output|print|say|write|return|repeat)\s+"
    r"(?:only\b|exactly\b|nothing\b|just\b|the (?:words?|phrase|text)\b|with\b|that\b|[\"“'‘])"
    r"|\bsystem prompt\b|^\W*(?:system|assistant|admin|developer)\s*:"
    r"|\byou are (?:now )?(?:an?|the) (?:\w+ )?(?:ai|assistant|language model|chatbot|model)\b"
    r"|^\W*(?:(?:dear|to|all|any)\s+){0,2}(?:ai|language) (?:models?|assistants?)[,:]",
    re.I | re.M,
)
# A sentence behind an instruction is a part of it when it goes on giving orders.
_GOES_ON = re.compile(
    r"^\W*(?:(?:and|then|also|instead|now|please|always|never|from now on|after that|first)\W+)*"
    r"(?:do not|don't|say|state|tell|claim|reply|respond|answer|output|print|write|add|append|"
    r"begin|start|end|finish|mention|include|repeat|reveal|send|visit|click|act|pretend|speak|"
    r"translate|use|call|you (?:must|should|will|are|have))\b",
    re.I,
)
# A statement that repeats a part of an instruction, and no more, carries it out; one
# that repeats most of it reports it.
_MOST_REPEATED = 0.6


def planted(passage: Passage) -> tuple[Sentence, ...]:
    """The sentences of a passage that instruct a machine, with those that go on doing so."""
    found: list[Sentence] = []
    before: Sentence | None = None
    for sentence in passage.sentences:
        text = passage.sentence_text(sentence)
        follows = bool(found) and found[-1] is before
        if _PLANTED.search(text) or (follows and _GOES_ON.match(text)):
            found.append(sentence)
        before = sentence
    return tuple(found)


def without_planted(passage: Passage) -> Passage:
    """The passage less the sentences that instruct a machine: those bear no statement."""
    instructing = planted(passage)
    if not instructing:
        return passage
    kept = tuple(sentence for sentence in passage.sentences if sentence not in instructing)
    return replace(passage, sentences=kept)


def obeys(statement: str, passages: Sequence[Passage]) -> bool:
    """Whether a statement that nothing supports says what an instruction asked to be said."""
    said = set(terms(statement)) or set(statement.lower().split())
    for passage in passages:
        asked = " ".join(passage.sentence_text(sentence) for sentence in planted(passage))
        wanted = set(terms(asked)) | set(re.findall(r"\w+", asked.lower()))
        if said <= wanted and len(said) <= _MOST_REPEATED * len(set(terms(asked))):
            return True
    return False
