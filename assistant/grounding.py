"""Which marker leads to which quote: quotes in, a text with its citations out.

Owns the numbering of citations and the joints between quotes. Every text it builds is
made of exact quotations. Knows nothing of evidence, of pages or of chat models.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from assistant.answers import MARKER, Citation, Statement
from assistant.phrases import FURTHER
from assistant.quoting import Quote
from index.catalogue import Catalogue


@dataclass(frozen=True, kw_only=True)
class Composed:
    """An answer's text with its markers, its statements and its citations."""

    text: str
    statements: tuple[Statement, ...]
    citations: tuple[Citation, ...]


def compose(quotes: Sequence[Quote], catalogue: Catalogue) -> Composed:
    """Put quotes into a text: one statement and one citation for each, numbered from 1.

    Groups are paragraphs; the items of a list stand on lines of their own, and the further
    quotes below a line that says so.
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
                further=quote.further,
            )
        )
        pieces.append(f"{_gap(quotes, at)}{_line(quote)} [{number}]")
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
    """A text in pieces that end with a marker, so that no marker is ever cut."""
    rest = text
    for citation in citations:
        marker = f"[{citation.number}]"
        head, _, rest = rest.partition(marker)
        yield head + marker


def _gap(quotes: Sequence[Quote], at: int) -> str:
    if at == 0:
        return ""
    before, quote = quotes[at - 1], quotes[at]
    if quote.further and not before.further:
        return f"\n\n{FURTHER}\n\n"
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
