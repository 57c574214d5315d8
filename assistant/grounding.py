"""Which marker leads to which quote: quotes in, a text with its citations out.

Owns the numbering of citations and the joints between quotes. Every text it builds is
made of exact quotations. Knows nothing of evidence, of pages or of chat models.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from assistant.answers import MARKER, Citation, Statement
from assistant.leaning import antecedent
from assistant.lists import lead_in
from assistant.quoting import Quote
from assistant.standing import ABOVE, OMITTED, Standing
from corpus.documents import Sentence
from index.catalogue import Catalogue


@dataclass(frozen=True, kw_only=True)
class Composed:
    """An answer's text with its markers, its statements and its citations."""

    text: str
    statements: tuple[Statement, ...]
    citations: tuple[Citation, ...]


def compose(quotes: Sequence[Quote], catalogue: Catalogue) -> Composed:
    """Put quotes into a text: one statement and one citation for each, numbered from 1.

    Groups are paragraphs; the items of a list stand on lines of their own, with a mark where
    some are left out, and the quotes that are not known to answer below a line that says so.
    """
    nothing = Composed(text="", statements=(), citations=())
    return extended(nothing, quotes, catalogue)


def extended(composed: Composed, quotes: Sequence[Quote], catalogue: Catalogue) -> Composed:
    """A text with more quotes behind it, in paragraphs of their own."""
    if not quotes:
        return composed
    citations, statements = list(composed.citations), list(composed.statements)
    pieces = [composed.text, "\n\n" * bool(composed.text)]
    for at, quote in enumerate(quotes):
        number = len(citations) + 1
        citations.append(cited(number, quote, catalogue))
        statements.append(
            Statement(
                text=quote.text,
                citations=(number,),
                supported=True,
                support=1.0,
                standing=quote.standing,
            )
        )
        before, after = _left_out(quotes, at)
        pieces += [_gap(quotes, at), f"{OMITTED}\n" * before, f"{_line(quote)} [{number}]"]
        pieces.append(f"\n{OMITTED}" * after)
    return Composed(text="".join(pieces), statements=tuple(statements), citations=tuple(citations))


def cited(number: int, quote: Quote, catalogue: Catalogue) -> Citation:
    """The citation of a quote."""
    return Citation(
        number=number,
        document=catalogue.documents[quote.passage.document_id],
        passage=quote.passage,
        quote=quote.text,
        start=quote.sentence.start,
        end=quote.sentence.end,
    )


def pieces_of(text: str, citations: Iterable[Citation]) -> Iterable[str]:
    """A text in pieces that end with a marker, so that no marker is ever cut; then the rest."""
    rest = text
    for citation in citations:
        marker = f"[{citation.number}]"
        head, _, rest = rest.partition(marker)
        yield head + marker
    if rest:
        yield rest


def _gap(quotes: Sequence[Quote], at: int) -> str:
    quote = quotes[at]
    before = quotes[at - 1] if at else None
    if before is None or quote.standing is not before.standing:
        line = ABOVE.get(quote.standing)
        return "\n\n" * (before is not None) + (f"{line}\n\n" if line else "")
    if quote.sentence.is_item:
        return "\n" if before.sentence.is_item else "\n\n"
    if before.sentence.is_item or before.group != quote.group:
        return "\n\n"
    if before.passage.document_id != quote.passage.document_id:
        return "\n\n"
    # Of what may answer, each stands by itself.
    leans = antecedent(quote.passage, quote.sentence) == before.sentence
    return "\n\n" if quote.standing is Standing.UNCLEAR and not leans else " "


def _left_out(quotes: Sequence[Quote], at: int) -> tuple[bool, bool]:
    """Whether lines of its list are left out between a quote and the one before, and behind it.

    Only of one with a lead-in, which promises them; the lines of others stand by themselves.
    """
    passage, sentence = quotes[at].passage, quotes[at].sentence
    lead = lead_in(passage, sentence)
    if lead is None:
        return False, False

    def of_list(others: Sequence[Quote]) -> list[Sentence]:
        near = [other.sentence for other in others if _beside(quotes[at], other)]
        return [one for one in near if one == lead or lead_in(passage, one) == lead]

    place = passage.sentences.index(sentence)
    before, after = of_list(quotes[:at][-1:]), of_list(quotes[at + 1 :][:1])
    return (
        any(passage.sentences.index(one) + 1 < place for one in before),
        not after and any(one.is_item for one in passage.sentences[place + 1 : place + 2]),
    )


def _beside(one: Quote, other: Quote) -> bool:
    return one.passage.id == other.passage.id and one.standing is other.standing


def _line(quote: Quote) -> str:
    # A bracketed number of the source's own would read as one of our markers.
    text = MARKER.sub(r"(\1)", " ".join(quote.text.split()))
    return f"- {text}" if quote.sentence.is_item else text
