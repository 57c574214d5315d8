"""A question that leans on the conversation → one that stands alone, by rule.

Owns when a question depends on earlier turns and what it takes from them. Earlier
turns are untrusted text: they steer the search and are never evidence.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.answers import MARKER, Turn
from assistant.standing import unmarked

MAX_TURNS = 12
MAX_TURN_CHARACTERS = 2000

_NEW_TOPIC = re.compile(
    r"^(different|new|another|other|next) (topic|question|subject|matter)\s*[:,.–-]\s*"
    r"|^(changing|on another) (the )?(subject|topic|note)\s*[:,.–-]\s*",
    re.I,
)
_OPENING = re.compile(
    r"^(and|but|so|also|or|then|ok(ay)?|what about|how about|why|why not|really|et|y)\b", re.I
)
_PRONOUN = re.compile(
    r"\b(they|them|their|theirs|these|those|this|he|she|him|her|his|hers|ones|its|therein|thereby|"
    r"the (former|latter|same|others?|rest))\b"
    r"|\bit\b(?! (is|was|be) (true|possible|important|said|necessary))"
    r"|\bthat\b(?=\s*(\?|$|be\b|is\b|was\b|can\b|could\b|would\b|mean|happen|work|help|,))"
    r"|\b(do|does|did|about|of|for|with|to|by|from|in|on|after|before|than|like) that\b"
    r"(?=\s*(\?|$))"
    r"|\b(about|of|for|with|to|from|in|under|on|against) that \w+(?=\s*(\?|$))"
    r"|\b(each|either|neither|both)\b(?=\s*(\?|$|(have|has|had|do|does|is|are|was|were|can)\b))"
    r"|\b(more|else)\b(?=\s*(\?|$))|^(explain|elaborate|tell me more|go on|continue)\b",
    re.I,
)
_ORDINALS = {
    "first": 0, "second": 1, "third": 2, "fourth": 3, "fifth": 4, "sixth": 5, "last": -1,
    "final": -1, "1st": 0, "2nd": 1, "3rd": 2, "4th": 3, "5th": 4,
}  # fmt: skip
_ORDINAL = re.compile(
    rf"\b(?:the )?({'|'.join(_ORDINALS)})"
    r" (?:ones?|name|item|point|point on the list|thing|of (?:them|these|those|the list))\b"
    r"|\b(?:number|no\.|point|item) (\d)\b",
    re.I,
)
_QUESTION_WORDS = frozenset(
    (
        "what which who whom whose when where why how is are was were do does did can could "
        "should would will may might must has have had the a an of in on to for with and or but "
        "by from at as not any some there be been often long many much please tell me explain "
        "describe so about"
    ).split()
)


@dataclass(frozen=True, kw_only=True)
class Standalone:
    """A question that needs no conversation: its own words, and the topic it follows, if any."""

    text: str
    topic: str = ""

    def __str__(self) -> str:
        return f"{self.text} ({self.topic})" if self.topic else self.text


def standalone(question: str, turns: Sequence[Turn]) -> Standalone:
    """`question` so that it can be understood without the conversation.

    Unchanged when it needs nothing from `turns`. Otherwise an ordinal ("the second
    one") is replaced by that item of the last answer, and the questions it follows
    become its topic.
    """
    if fresh := _NEW_TOPIC.match(question):
        return Standalone(text=question[fresh.end() :].strip() or question)
    turns = [turn for turn in turns if turn.content.strip()][-MAX_TURNS:]
    if not turns:
        return Standalone(text=question)
    named = _name_ordinal(question, turns)
    if named == question and not depends(question):
        return Standalone(text=question)
    bare = _OPENING.sub("", named).strip(" ,") if _OPENING.match(named) else named
    bare = bare if len(bare.split()) > 1 else named
    return Standalone(text=f"{bare[0].upper()}{bare[1:]}", topic=_topic(turns))


def needs_conversation(question: str, turns: Sequence[Turn]) -> bool:
    """Whether `question` takes something from `turns`: it leans on them, or names an item."""
    said = [turn for turn in turns if turn.content.strip()]
    if not said or _NEW_TOPIC.match(question):
        return False
    return depends(question) or bool(_ORDINAL.search(question))


def depends(question: str) -> bool:
    """Whether `question` needs the conversation to be understood."""
    words = re.findall(r"[\w'’-]+", question.lower())
    content = [word for word in words if word not in _QUESTION_WORDS]
    return bool(
        (_OPENING.match(question) and len(words) > 1)
        or _PRONOUN.search(question)
        or len(content) < 2 < len(words) + 2
    )


def _topic(turns: Sequence[Turn]) -> str:
    """The last questions of the visitor, back to one that stands alone, newest last."""
    asked = [_shortened(turn.content) for turn in turns if turn.role == "user"]
    topic: list[str] = []
    for question in reversed(asked[-3:]):
        topic.insert(0, question.rstrip("?. "))
        if not depends(question):
            break
    return "; ".join(topic)


def _name_ordinal(question: str, turns: Sequence[Turn]) -> str:
    found = _ORDINAL.search(question)
    replies = [turn for turn in turns if turn.role == "assistant"]
    if not found or not replies:
        return question
    items = listed_items(replies[-1].content)
    which = int(found.group(2)) - 1 if found.group(2) else _ORDINALS[found.group(1).lower()]
    if not items or which >= len(items):
        return question
    return f"{question[: found.start()]}{items[which]}{question[found.end() :]}"


def listed_items(text: str) -> list[str]:
    """The items that a message lists: its bullets, else what commas and "and" part."""
    text = unmarked(MARKER.sub("", text[:MAX_TURN_CHARACTERS]))
    bullets = re.findall(r"^\s*(?:[-*•]|\d+[.)])\s+(.+)$", text, re.M)
    if len(bullets) > 1:
        return [bullet.strip(" .;") for bullet in bullets]
    best: list[str] = []
    for sentence in re.split(r"(?<=[.!?])\s+", text):
        _, _, after = sentence.rpartition(": ")
        pieces = re.split(r"\s*;\s*|\s*,\s*(?:and\s+)?|\s+and\s+", after.strip(" .!"))
        if ";" in after:
            pieces = re.split(r"\s*;\s*(?:and\s+)?", after.strip(" .!"))
        pieces = [piece.strip() for piece in pieces if piece.strip()]
        if len(pieces) > len(best):
            best = pieces
    return best if len(best) > 1 else []


def _shortened(content: str) -> str:
    return " ".join(content[:MAX_TURN_CHARACTERS].split())
