"""What every front end writes beside a sentence that its passage does not support.

Owns the words of the marks and where they stand in an answer's text. Knows nothing of
Markdown, HTML or terminals.
"""

import re

from assistant.answers import Answer, DeltaEvent, Statement

UNSUPPORTED = "(⚠ not supported by the quoted passage)"
UNSOURCED = "(⚠ not supported by any passage)"
UNCOMPARED = "(⚠ meaning not checked)"
"""Another language than that of the documents: only figures and dates were compared."""

MARKS = (UNSUPPORTED, UNSOURCED, UNCOMPARED)

_TRAILING_MARKERS = re.compile(r"(?:\s*\[\d+\])*\s*$")


def mark_of(statement: Statement) -> str:
    """The mark of a statement; empty where it is supported."""
    if statement.supported:
        return ""
    if statement.checked == "figures":
        return UNCOMPARED
    return UNSUPPORTED if statement.citations else UNSOURCED


def marked_text(answer: Answer) -> str:
    """The text of an answer with its marks, each before the markers of its sentence."""
    pieces: list[str] = []
    text, at = answer.text, 0
    for statement in answer.statements:
        begin = text.find(statement.text, at)
        if begin < 0:  # a quotation that the text has on one line: never without support
            continue
        end = begin + len(statement.text)
        mark = mark_of(statement)
        pieces.append(text[at:end] + (f" {mark}" if mark else ""))
        at = end
    return "".join((*pieces, text[at:]))


def marked_piece(event: DeltaEvent) -> str:
    """A sentence still in the stream, with its mark where it is not supported."""
    if event.supported:
        return event.text
    piece = event.text
    markers = _TRAILING_MARKERS.search(piece)
    at = markers.start() if markers else len(piece)
    mark = UNSUPPORTED if piece[at:].strip() else UNSOURCED
    if event.checked == "figures":
        mark = UNCOMPARED
    return f"{piece[:at]} {mark}{piece[at:]}"
