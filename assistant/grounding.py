"""What may be said: whether the evidence answers, and which marker leads to which quote.

Owns the decision not to answer, taken from evidence alone, and the numbering of
citations. Every text it builds is made of exact quotations. Knows nothing of chat
models, of pages or of the wording of refusals.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from assistant.answers import MARKER, Citation, Statement
from assistant.finding import Found
from assistant.questions import Expect, Want
from assistant.quoting import MOST_QUOTES, MOST_UNSURE, Candidate, Quote, antecedent
from corpus.documents import Passage
from index.catalogue import Catalogue
from index.lexical import terms

# Cosine of the question and its nearest sentence, and the score of the best passage. On
# the development questions, those outside the library's subject stay below 0.29 and 0.16;
# of those it answers, none that was answered rightly is below 0.34 and 0.23.
LEAST_SIMILARITY = 0.30
LEAST_SCORE = 0.22
# Below this score the evidence shares so little with the question that one answer in two
# is wrong, and the reader is told.
SURE_SCORE = 0.38


# A sentence so near to the question is about the same thing in other words.
SAME_MATTER = 0.6

InContext = Callable[[Passage, str], set[str]]
"""The terms of a piece of a passage together with those of its headings."""


class Shortfall(StrEnum):
    """What the evidence for a part lacks."""

    NOTHING = "nothing near the question"
    NAME = "nothing that names"
    EXPECTED = "nothing that gives"


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """Whether a part can be answered, and if not, what is missing (a name, a kind of fact)."""

    found: Found
    candidates: tuple[Candidate, ...] = ()
    shortfall: Shortfall | None = None
    missing: str = ""

    @property
    def sure(self) -> bool:
        """Whether the evidence is near enough for its sentences to be the answer."""
        return bool(self.found.hits) and self.found.hits[0].score >= SURE_SCORE

    @property
    def most(self) -> int:
        """How many sentences to quote at most."""
        return MOST_QUOTES if self.sure else MOST_UNSURE


def judge(found: Found, ranked: Sequence[Candidate], in_context: InContext) -> Judgement:
    """Decide from the evidence for one part whether it answers.

    It does not when no sentence is near the question, when something the question
    names stands in none of the passages, or when a typed question (how many, when,
    who, which country) finds no sentence that holds such a thing about what it names.
    """
    nearest = max((candidate.similarity for candidate in ranked), default=0.0)
    best = found.hits[0].score if found.hits else 0.0
    if nearest < LEAST_SIMILARITY or best < LEAST_SCORE:
        return Judgement(found=found, shortfall=Shortfall.NOTHING)
    if missing := _unnamed(found, in_context):
        return Judgement(found=found, shortfall=Shortfall.NAME, missing=missing)
    if found.part.expect is not Expect.ANYTHING:
        ranked = _expected(found, ranked, in_context)
        if not ranked:
            missing = found.part.expect.value
            return Judgement(found=found, shortfall=Shortfall.EXPECTED, missing=missing)
    return Judgement(found=found, candidates=tuple(ranked))


def _unnamed(found: Found, in_context: InContext) -> str:
    """The first thing that the question names and no passage found does."""
    around = [in_context(hit.passage, hit.passage.text) for hit in found.hits]
    texts = [hit.passage.text.casefold() for hit in found.hits]
    for reference in found.references.exact:
        wanted = set(terms(reference))
        if not any(reference.casefold() in text for text in texts) and not any(
            wanted <= held for held in around
        ):
            return reference
    if found.part.want is Want.COMPARISON:
        return ""  # each side names what the other need not
    for name in found.references.names:
        wanted = set(terms(name))
        if wanted and not any(wanted <= held for held in around):
            return name
    return ""


def _expected(
    found: Found, ranked: Sequence[Candidate], in_context: InContext
) -> tuple[Candidate, ...]:
    """The candidates, if one of them holds the expected kind of thing about what is named.

    That one comes first. The names must stand in its own sentence, or in its headings.
    """
    names = [set(terms(name)) for name in found.references.names]
    subject = set().union(*names) if names else set()
    deed = set(terms(found.part.text)) - subject
    near = {(c.passage.id, c.sentence.start): c.similarity for c in ranked}

    def nearness(candidate: Candidate) -> float:
        """Its similarity, or that of the sentence it leans on ("It was set up in …")."""
        before = antecedent(candidate.passage, candidate.sentence)
        key = (candidate.passage.id, before.start) if before else None
        return max(candidate.similarity, near.get(key, 0.0) if key else 0.0)

    for candidate in ranked:
        if not candidate.expected or nearness(candidate) < LEAST_SIMILARITY:
            continue
        held = in_context(candidate.passage, candidate.text)
        own = deed & set(terms(candidate.text))
        if _is_about(found.part.expect, candidate, len(own), len(deed)) and all(
            name <= held for name in names
        ):
            return (candidate, *(other for other in ranked if other is not candidate))
    return ()


def _is_about(expect: Expect, candidate: Candidate, shared: int, asked: int) -> bool:
    """Whether the number or person in a sentence is the one asked for.

    "Who founded X?" is not answered by whoever else is named beside X, nor "how many
    judges" by the number of states: `shared` of the `asked` terms must stand there too.
    """
    if expect is Expect.PERSON:
        return shared > 0 or not asked
    if expect is Expect.NUMBER:
        return 2 * shared >= asked or candidate.similarity >= SAME_MATTER
    return True


@dataclass(frozen=True, kw_only=True)
class Composed:
    """An answer's text with its markers, its statements and its citations."""

    text: str
    statements: tuple[Statement, ...]
    citations: tuple[Citation, ...]


def compose(quotes: Sequence[Quote], catalogue: Catalogue) -> Composed:
    """Put quotes into a text: one statement and one citation for each, numbered from 1.

    Groups are paragraphs; the items of a list stand on lines of their own.
    """
    citations, statements, pieces = [], [], []
    for number, quote in enumerate(quotes, 1):
        citations.append(
            Citation(
                number=number,
                document=catalogue.documents[quote.passage.document_id],
                passage=quote.passage,
                quote=quote.text,
                start=quote.sentence.start,
                end=quote.sentence.end,
            )
        )
        statements.append(
            Statement(text=quote.text, citations=(number,), supported=True, support=1.0)
        )
        pieces.append(f"{_gap(quotes, number - 1)}{_line(quote)} [{number}]")
    return Composed(text="".join(pieces), statements=tuple(statements), citations=tuple(citations))


def _gap(quotes: Sequence[Quote], at: int) -> str:
    if at == 0:
        return ""
    before, quote = quotes[at - 1], quotes[at]
    if quote.sentence.is_item:
        return "\n" if before.sentence.is_item else "\n\n"
    if before.sentence.is_item or before.group != quote.group:
        return "\n\n"
    if before.passage.document_id != quote.passage.document_id:
        return "\n\n"
    return " "


def _line(quote: Quote) -> str:
    # A bracketed number of the source's own would read as one of our markers.
    text = MARKER.sub(r"(\1)", " ".join(quote.text.split()))
    return f"- {text}" if quote.sentence.is_item else text
