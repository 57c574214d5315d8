"""An answer as the text of one message, for programs that show it in a chat of their own.

Owns what stands below the answer's text (differences, notices, sources) and
how foreign words are made harmless where such a program reads Markdown: no image is
fetched, no link made, no HTML let through. Whole addresses are ours alone. Knows nothing
of HTTP.
"""

from collections.abc import Generator, Iterable

from assistant.answers import Answer, Citation, DeltaEvent, DoneEvent, Event, permalink
from assistant.marking import marked_piece, marked_text
from assistant.rendering import checked_line, footnotes, plain

_DIFFERENCE = "Sources differ on"
_NOTICE = "Notice:"
_SOURCES = "Sources:"
_NEAREST = "Closest in the library:"
_BELOW = (_DIFFERENCE, _NOTICE, _SOURCES, _NEAREST)

_INSTEAD = "What stands above can't be kept up. The answer is:"

# Each says which character before makes this one dangerous, and what is written instead.
# An entity for "<", since a backslash of the text before it would undo one of ours.
_AFTER_ANY = {"<": "&lt;"}
_AFTER = {("!", "["): r"\[", ("]", "("): r"\(", ("]", ":"): r"\:"}


def harmless(text: str, before: str = "") -> str:
    """`text` with its Markdown images, links, link definitions and HTML disarmed.

    `before` is the character that it follows, so that a text may come in pieces. All
    else is left as it is, for those who read the text and not its Markdown.
    """
    written = []
    for char in plain(text):
        written.append(_AFTER_ANY.get(char) or _AFTER.get((before, char), char))
        before = char
    return "".join(written)


def message_text(answer: Answer, base_url: str) -> str:
    """The whole message; `base_url` (scheme and host, or empty) makes the addresses whole."""
    return harmless(marked_text(answer)) + below(answer, base_url)


def message_pieces(
    events: Iterable[Event], base_url: str
) -> Generator[tuple[str, Answer | None], None, None]:
    """The message as it is written; its last piece comes with the answer.

    Put together it is `message_text`, unless the answer at the end is another than the one
    that was being written, which the message then says. Raises `RuntimeError` when the
    events end without an answer.
    """
    said = ""
    for event in events:
        if isinstance(event, DeltaEvent):
            yield harmless(marked_piece(event), plain(said)[-1:]), None
            said += event.text
        elif isinstance(event, DoneEvent):
            rest, before = event.answer.text, ""
            if rest.startswith(said):
                rest, before = rest[len(said) :], plain(said)[-1:]
            else:
                rest = f"\n\n{_INSTEAD}\n\n{marked_text(event.answer)}"
            yield harmless(rest, before) + below(event.answer, base_url), event.answer
            return
    raise RuntimeError("the reply ended without an answer")


def below(answer: Answer, base_url: str) -> str:
    """What follows the answer's text in its message, from its blank line on; may be empty."""
    parts = []
    for difference in answer.differences:
        markers = ", ".join(f"[{number}]" for number in difference.citations)
        parts.append(f"{_DIFFERENCE} {_line(difference.about)}: {markers}")
    parts += [f"{_NOTICE} {_line(notice)}" for notice in answer.notices]
    parts.append(_sources(answer, base_url))
    parts.append(_nearest(answer, base_url))
    parts.append(checked_line(answer))
    return "".join(f"\n\n{part}" for part in parts if part)


def without_sources(text: str) -> str:
    """An earlier message without what `below` put under it, for the next question."""
    ends = [text.find(f"\n\n{mark}") for mark in _BELOW]
    return text[: min((end for end in ends if end >= 0), default=len(text))]


def quote_address(citation: Citation, base_url: str) -> str:
    """The page of the citation's passage, with the quoted words marked in it."""
    start = citation.start - citation.passage.start
    end = citation.end - citation.passage.start
    # A quote may begin in one passage and end in the next; the page marks what it shows.
    marked = f"?start={start}&end={end}" if 0 <= start < end else ""
    return f"{base_url}{citation.permalink}{marked}"


def _line(text: str) -> str:
    return harmless(" ".join(text.split()))


def _sources(answer: Answer, base_url: str) -> str:
    lines = [
        f"- [{note.number}] “{_line(note.quote)}” — {_line(note.source)} — "
        f"{quote_address(citation, base_url)}"
        for note, citation in zip(footnotes(answer), answer.citations, strict=True)
    ]
    return "\n".join([_SOURCES, *lines]) if lines else ""


def _nearest(answer: Answer, base_url: str) -> str:
    if answer.abstention is None:
        return ""
    lines = []
    for evidence in answer.nearest:
        where = " › ".join((evidence.document.title, *evidence.hit.passage.heading))
        lines.append(f"- {_line(where)} — {base_url}{permalink(evidence.hit.passage.id)}")
    return "\n".join([_NEAREST, *lines]) if lines else ""
