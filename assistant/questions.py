"""What a question asks: cleaned, cut into its parts, and what each part expects.

Owns the reading of one question by rule: instructions set aside, sub-questions
found, the kind of answer each expects. Knows nothing of evidence or of how an
answer is worded; earlier turns are `followups`' business.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from corpus.errors import ExpectedError
from index.lexical import terms

MAX_CHARACTERS = 2000
_INVISIBLE = {"Cc", "Cf", "Co", "Cs", "Cn"}


class Want(StrEnum):
    """The shape of the answer."""

    PASSAGE = "passage"
    DEFINITION = "definition"
    LIST = "list"
    COMPARISON = "comparison"
    EXPLANATION = "explanation"
    PROVENANCE = "provenance"


class Expect(StrEnum):
    """What the answer must hold to be one."""

    ANYTHING = "anything"
    NUMBER = "number"
    DATE = "date"
    COUNTRY = "country"
    PERSON = "person"


@dataclass(frozen=True, kw_only=True)
class Part:
    """One thing asked.

    `topic` is what it follows in the conversation; `documents` limits it to documents
    that the question names.
    """

    text: str
    topic: str = ""
    want: Want = Want.PASSAGE
    expect: Expect = Expect.ANYTHING
    documents: tuple[str, ...] = ()

    @property
    def whole(self) -> str:
        """What is asked, with its topic."""
        return f"{self.text} ({self.topic})" if self.topic else self.text


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question, read. `parts` is empty when nothing is left but instructions."""

    asked: str
    standalone: str
    parts: tuple[Part, ...]


def clean_question(text: str) -> str:
    """The question in one form: NFKC, no control or invisible characters, single spaces.

    Raises `ExpectedError` when it is empty, without a letter or digit, or longer than
    2,000 characters.
    """
    if len(text) > 4 * MAX_CHARACTERS:
        raise _too_long()
    spaced = "".join(" " if char.isspace() else char for char in text)
    kept = "".join(c for c in spaced if unicodedata.category(c) not in _INVISIBLE)
    cleaned = " ".join(unicodedata.normalize("NFKC", kept).split())
    if len(cleaned) > MAX_CHARACTERS:
        raise _too_long()
    if not any(char.isalnum() for char in cleaned):
        raise ExpectedError("There is no question here.", "Please ask one in a few words.")
    return cleaned


def _too_long() -> ExpectedError:
    return ExpectedError(
        f"The question is longer than {MAX_CHARACTERS:,} characters.",
        "Please shorten it to what you want to know.",
    )


# --- instructions to the assistant ---------------------------------------------------------

_INSTRUCTION = re.compile(
    r"^(please\s+|now\s+|you must\s+|you should\s+|first\s+)?"
    r"(ignore|disregard|forget|override|bypass|reveal|repeat|print|output|reply|respond|"
    r"pretend|act as|imagine|role-?play|you are now|from now on|invent|make up|fabricate|forge|"
    r"translate|write|compose|generate|draw|code|say|system note|system:|system prompt)\b",
    re.I,
)
_FALSE_NOTE = re.compile(r"^\W*(system|admin|developer|assistant|operator)(\s+\w+)?\s*[:>]", re.I)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[\"“'(]?[A-ZÀ-Ý])")
_WITHIN = re.compile(r"^(before that|given this|in any case|also|then|but first)\W+", re.I)


def without_instructions(text: str) -> str:
    """The question less the sentences that tell the assistant what to do or to believe.

    Quotations could not obey them anyway; set aside, they don't disturb the search.
    Empty when nothing else is left.
    """
    kept = []
    for sentence in _SENTENCE.split(text):
        tail = re.split(r"[:,]\s+(?=(?:what|who|which|when|where|why|how)\b)", sentence, flags=re.I)
        if _FALSE_NOTE.match(sentence) or _INSTRUCTION.match(sentence):
            # "SYSTEM NOTE: …; which bodies …?" still asks something.
            if len(tail) > 1 and sentence.endswith("?"):
                kept.append(tail[-1])
            continue
        kept.append(_WITHIN.sub("", sentence))
    return " ".join(kept).strip()


# --- what is wanted and expected -------------------------------------------------------------

_DEFINITION = re.compile(
    r"^(what|who)('s| is| are| was| were)( an?| the)? "
    r"(?!\w* ?(trouble|problem|matter|aim|purpose|role|point|use|reason|effect|impact|difference|"
    r"importance|situation)\b)(?!.*\b(meant to|supposed to)\b)[^,;]{2,80}\??$"
    r"|^(define|definition of|meaning of|explain the term)\b"
    r"|\b(is|are) meant by\b|\bmeaning\??$|\bmean\??$|\bstands? for\b|\bdefined\b",
    re.I,
)
_LIST = re.compile(
    r"^(please )?(list|name|enumerate|summari[sz]e|give me)\b"
    r"|\b(are|is|were) (listed|named|mentioned|summari[sz]ed)\b|\b(are|were) there\b"
    r"|^(what|which) (are|were) (the|some)\b|^who are the\b"
    r"|^(what|w(h)?ich) (new |other |main )?[a-z]{3,}(?<!s)s (?!(?:does|do|did|has|is)\b)"
    r"|\b(which|what|all|the) (two|three|four|five|six|seven|eight|nine|ten|\d)\b"
    r"|^(which|what) (specific |key |main |common |important |six |human )*"
    r"(reforms|rights|approaches|challenges|functions|forms|aspects|features|stakeholders|"
    r"organi[sz]ations|measures|steps|ways|types|kinds|principles|obstacles|recommendations|"
    r"bodies|instruments|treaties|things|elements|factors|strategies|tools|examples)\b",
    re.I,
)
_COMPARISON = re.compile(
    r"\b(compare[ds]?|comparison|contrast|differ|differs|difference|differences|versus|vs)\b"
    r"|\bwhat does each say\b|\bon the one hand\b",
    re.I,
)
_EXPLANATION = re.compile(r"^(please )?(explain|elaborate|tell me more|describe|why)\b", re.I)
_PROVENANCE = re.compile(
    r"\b(written|authored|generated|produced|made) by (an? )?(person|human|people|machine|ai|"
    r"artificial)\b|\bwho (wrote|is the author of|authored) (this|the|that) "
    r"(article|text|document)\b|\b(ai|machine)[- ]generated\b|\bauthor of the (article|text)\b",
    re.I,
)
_NUMBER = re.compile(
    r"\bhow many\b|\bhow much (money|funding|cash|does|did|is|was)\b|\bhow old\b|\bwithin how\b"
    r"|\bwhat (is|was|are|were)\b.{0,60}\b(number|budget|amount|percentage|share|cost|total|size|"
    r"figure|salary|income|turnout|population)\b|\b(from|at|until) (what|which) age\b"
    r"|\bwhat (percentage|number|proportion|salary)\b",
    re.I,
)
_DATE = re.compile(
    r"^when (was|were|did|will)\b|\b(in|since|until|by|from)? ?w(h)?(ich|at) "
    r"(year|date|day|month|decade|century)\b|^(in|since|until|by) when\b|\bsince when\b",
    re.I,
)
_COUNTRY = re.compile(r"\bw(h)?(ich|at) (country|state|nation|countries|states|nations)\b", re.I)
_PERSON = re.compile(
    r"\bwho (is|was) (the )?(current |present |first |last |former )?(\w+ ){0,4}"
    r"(commissioner|president|chair|director|rapporteur|secretary|head|leader|author|judge|"
    r"founder|minister|general|prosecutor|ambassador|spokes\w+|envoy|registrar|governor)\b"
    r"|\bwhich (\w+ ){0,3}(delegate|judge|prosecutor|ambassador|diplomat|lawyer|minister|"
    r"politician|president|official|journalist|activist|man|woman|person)\b (?!are\b|were\b)"
    r"|\bwho (founded|chaired|wrote|drafted|invented|coined|won|killed|led|heads|chairs|leads)\b"
    r"|\bwhose name\b|\bwhich officials\b",
    re.I,
)


def want_of(text: str) -> Want:
    """The shape of answer that a question asks for."""
    if _PROVENANCE.search(text):
        return Want.PROVENANCE
    if _COMPARISON.search(text):
        return Want.COMPARISON
    if _EXPLANATION.search(text):
        return Want.EXPLANATION
    if _LIST.search(text):
        return Want.LIST
    if _DEFINITION.search(text):
        return Want.DEFINITION
    return Want.PASSAGE


def expect_of(text: str) -> Expect:
    """What an answer to `text` must hold."""
    for expect, pattern in (
        (Expect.DATE, _DATE),
        (Expect.NUMBER, _NUMBER),
        (Expect.PERSON, _PERSON),
        (Expect.COUNTRY, _COUNTRY),
    ):
        if pattern.search(text):
            return expect
    return Expect.ANYTHING


# --- parts -------------------------------------------------------------------------------------

_WH = r"(?:what|which|who|whom|whose|when|where|why|how)"
_AND_WH = re.compile(
    rf"[,;]?\s+(?:and|or)\s+(?=(?:(?:in|into|to|by|from|for|at|on)\s+)?{_WH}\b)", re.I
)
_AND_DO = re.compile(r",\s+(?:and|yet|but|while|whereas)\s+(?=\w+)", re.I)
_ONE_ANOTHER = re.compile(
    r"\bone (?:article|document|text|source)\b(.+?)[,;]\s*(?:and )?"
    r"(?:another|the other|a second)(?: one| article| document| text| source)?\b(.+?)[.?]",
    re.I,
)
_WITH = re.compile(r"\b(?:compare|contrast)\s+(.+?)\s+(?:with|to|against)\s+(.+?)[.?]?$", re.I)
_BETWEEN = re.compile(
    r"\b(?:compare|contrast|difference[s]? between|distinguish(?: between)?|comparison of)\s+"
    r"(.+?)\s+(?:and|from)\s+(.+?)[.?]?$",
    re.I,
)
_DIFFER = re.compile(r"^how (?:do|does|did) (.+?) (?:and|differ from) (.+?)(?: differ)?\??$", re.I)
_VERSUS = re.compile(r"^(.+?) (?:versus|vs\.?) (.+?)\??$", re.I)
_LEANS = re.compile(
    r"\b(it|they|them|their|its|these|those|this|that (?:take|need|mean|involve)|he|she|his|her|him"
    r"|such an?|which one)\b",
    re.I,
)
_FIRST_PERSON = re.compile(r"I\b")
# A further part with so few words of its own is about what the first one names.
_OWN_WORDS = 2
# "Which is older: the Council or the Commission?"
_CHOICE = re.compile(
    r"^((?:which|who|what)\b[^:,]*\b(?:more|less|fewer|most|least|first|last|older|newer|younger"
    r"|longer|shorter|bigger|larger|smaller|higher|lower|earlier|later|stronger|weaker|wider"
    r"|greater|stricter)\b[^:,]*)(?::|,(?!\s*(?:and|or|but|if|for|in|under|as|by|to|after|before"
    rf"|while|{_WH})\b))\s+([^:,]+?),?\s+or\s+([^:,]+?)\??$",
    re.I,
)
_SAME_HEAD = re.compile(r"^(?:that|those|the one)\b", re.I)


def parts_of(text: str, topic: str = "") -> tuple[Part, ...]:
    """The things asked in `text`, at most three, each with what it wants and expects."""
    if want_of(text) is Want.COMPARISON:
        texts = _sides(text)
        return tuple(Part(text=side, topic=topic, want=Want.COMPARISON) for side in texts)
    if choice := _CHOICE.search(text):
        head, first, second = choice.groups()
        texts = [f"{head}: {side}" for side in (first, _completed(first, second))]
        return tuple(Part(text=side, topic=topic, want=Want.COMPARISON) for side in texts)
    texts = [piece.strip(" ,;") for piece in _AND_WH.split(text)]
    # "How and when …" is one question: its first piece says nothing of its own.
    if any(len(piece.split()) < 4 for piece in texts):
        texts = [text]
    pieces = [
        (piece, "; ".join(filter(None, (topic, texts[0] if number and _follows(piece) else ""))))
        for number, piece in enumerate(texts[:3])
    ]
    return tuple(_part(piece, after) for piece, after in pieces)


def _follows(piece: str) -> bool:
    """Whether a further part names nothing of its own ("and how did states vote?")."""
    words = [word for word in piece.split() if not _FIRST_PERSON.match(word)]
    named = any(word[0].isupper() or word[0].isdigit() for word in words)
    return bool(_LEANS.search(piece)) or (not named and len(terms(piece)) <= _OWN_WORDS)


def _part(text: str, topic: str) -> Part:
    want, expect = want_of(text), expect_of(text)
    # "Who was the first judge?" asks for a name, not for what a judge is.
    if want is Want.DEFINITION and expect is Expect.PERSON:
        want = Want.PASSAGE
    return Part(text=text, topic=topic, want=want, expect=expect)


def _completed(first: str, second: str) -> str:
    """The second side of a comparison, "that" or "the one" put in the words of the first."""
    if not _SAME_HEAD.match(second):
        return second
    tail = _SAME_HEAD.sub("", second).strip()
    return f"{first.rsplit(f' {tail.split()[0]} ', 1)[0]} {tail}" if tail else first


def _sides(text: str) -> list[str]:
    """A comparison's two sides, after the whole of it; only the whole where none is found."""
    if found := _ONE_ANOTHER.search(text):
        return [found.group(1).strip(), found.group(2).strip()]
    for pattern in (_WITH, _BETWEEN, _DIFFER, _VERSUS):
        found = pattern.search(text)
        if not found:
            continue
        first, second = found.group(1).strip(), found.group(2).strip()
        return [first, _completed(first, second)]
    pieces = [piece.strip() for piece in _AND_DO.split(_SENTENCE.split(text)[0], maxsplit=1)]
    return [text, *pieces] if len(pieces) > 1 else [text]
