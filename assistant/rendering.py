"""An answer as Markdown for the chat, as text to copy, and as a file to keep.

Owns how a marker becomes a link and how foreign text is made harmless: every word
that comes from a document or a visitor is escaped, so that no link, image or HTML
of theirs survives. Knows nothing of HTTP and of the terminal.
"""

import html
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from assistant.answers import MARKER, Answer, Citation, Evidence, Proof
from assistant.marking import MARKS, marked_text
from corpus.documents import Document, Passage

MARKDOWN_LIMIT = 60_000
"""Characters of an answer's text that are shown; the rest is cut (a display must stay quick)."""

_SPECIAL = re.compile(r"([\\`*_{}\[\]#|~$!])")
_LINE_START = re.compile(r"([-+=]|\d{1,9}(?=[.)]))")
_INDENT = re.compile(r"[^\S\n]+")
_LIST_LINE = re.compile(r"^\s*(?:[-•*–‣◦]|(\d{1,3})[.)])\s+(?=\S)")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
# What turns bare text into a link without any Markdown: "http://", "www.", "name@host".
_AUTOLINK = re.compile(r"(?i)(:(?=//)|(?<=www)\.|@)")
_KEPT_CONTROLS = frozenset("\n\t")


@dataclass(frozen=True, kw_only=True)
class Footnote:
    """A citation as it is written out below a text.

    `url` is the original's address or empty; `permalink` the passage's page here.
    """

    number: int
    quote: str
    source: str
    url: str
    permalink: str


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """A question and what came back, as a saved conversation holds it."""

    question: str
    text: str
    notices: tuple[str, ...] = ()
    proof: str = ""
    footnotes: tuple[Footnote, ...] = ()


def plain(text: str) -> str:
    """The text without characters that have no look of their own but change others'.

    Control characters and those that change the direction of text go; line breaks and tabs stay.
    """
    return "".join(
        char
        for char in text
        if char in _KEPT_CONTROLS or unicodedata.category(char) not in {"Cc", "Cf", "Cs"}
    )


def escape_markdown(text: str) -> str:
    """Foreign text as Markdown that shows exactly these words, on one or more lines.

    Uses entities for HTML's own characters and for what Markdown readers turn into
    links by themselves, backslashes for the rest.
    """
    escaped = _SPECIAL.sub(r"\\\1", html.escape(plain(text), quote=False))
    # `&#58;` and not `\:`: some readers look for bare links before they resolve backslashes.
    escaped = _AUTOLINK.sub(lambda match: f"&#{ord(match.group(1))};", escaped)
    return "\n".join(_harmless_start(line) for line in escaped.split("\n"))


def _harmless_start(line: str) -> str:
    """A line that begins neither a list nor a heading nor, by its indent, code."""
    indent = _INDENT.match(line)
    words = line[indent.end() :] if indent else line
    sign = _LINE_START.match(words)
    if sign is not None:
        words = f"&#{ord(words[0])};{words[1:]}"
    return f" {words}" if indent else words


def unescape_markdown(text: str) -> str:
    """What `escape_markdown` was given, for text that comes back from an edit box."""
    return html.unescape(_ESCAPED.sub(r"\1", text))


def source_address(passage: Passage, start: int | None = None, end: int | None = None) -> str:
    """The address, within the chat page, of a passage or of some words in it.

    `start` and `end` count characters of the document's text; the address counts from
    the beginning of the passage, whose id is stable as long as its words are.
    """
    if start is None or end is None:
        return f"#source:{passage.id}"
    first = max(0, start - passage.start)
    return f"#source:{passage.id}:{first}-{max(first, end - passage.start)}"


def secure_url(url: str) -> str:
    """The address if it is a plain https one, else nothing."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme == "https" and bool(parts.hostname) and parts.username is None
    except ValueError:
        return ""
    return url if usable and re.fullmatch(r"[!-~]+", url) and not set(url) & set("<>\"'`\\") else ""


def proof_line(proof: Proof) -> str:
    """What was checked, in one line; empty where there was nothing to check."""
    if not proof.quotes and not proof.statements:
        return ""
    return (
        f"{proof.exact} of {proof.quotes} {_plural(proof.quotes, 'quotation')} found word for word"
        f" · {proof.supported} of {proof.statements} "
        f"{_plural(proof.statements, 'sentence')} supported"
    )


def checked_line(answer: Answer) -> str:
    """Who wrote an answer, where that was a chat model, and what was checked; else empty."""
    if not answer.answered:
        return ""
    by = f"Written by the chat model {answer.model}" if answer.mode == "written" else ""
    return " · ".join(part for part in (by, proof_line(answer.proof)) if part)


def _plural(count: int, noun: str) -> str:
    return noun if count == 1 else f"{noun}s"


def document_line(document: Document) -> str:
    """What a document is, in one line of plain text: kind, publisher, date."""
    return " · ".join(
        part for part in (document.kind, document.publisher, document.published) if part
    )


def _source_line(document: Document, passage: Passage) -> str:
    return " › ".join((document.title, *passage.heading))


def text_markdown(text: str) -> str:
    """Answer text that is still being written: markers whole, but not links yet."""
    return _body(text, {})


def answer_markdown(answer: Answer) -> str:
    """The whole answer as Markdown: notices, text with linked markers, sources, proof.

    An abstention ends with what stands closest in the library; it is never an answer.
    """
    links = {
        citation.number: source_address(citation.passage, citation.start, citation.end)
        for citation in answer.citations
    }
    parts = [f"> {escape_markdown(_one_line(notice))}" for notice in answer.notices]
    parts.append(_body(marked_text(answer), links))
    for difference in answer.differences:
        markers = ", ".join(_marker(number, links) for number in difference.citations)
        parts.append(f"**Sources differ** on {escape_markdown(difference.about)}: {markers}")
    if answer.citations:
        parts.append(_sources(answer.citations, links))
    if answer.nearest and answer.abstention is not None:
        parts.append(_nearest(answer.nearest))
    if checked := checked_line(answer):
        parts.append(f"*{escape_markdown(checked)}*")
    if answer.standalone_question != answer.question:
        understood = html.escape(_one_line(plain(answer.standalone_question)))
        parts.append(
            f"<details><summary>How the question was understood</summary>{understood}</details>"
        )
    return "\n\n".join(part for part in parts if part)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _marker(number: int, links: dict[int, str]) -> str:
    return rf"[\[{number}\]]({links[number]})" if number in links else rf"\[{number}\]"


def _body(text: str, links: dict[int, str]) -> str:
    """Text with markers as Markdown; lines that are list items stay list items."""
    lines: list[str] = []
    for line in text[:MARKDOWN_LIMIT].split("\n"):
        item = _LIST_LINE.match(line)
        content = line[item.end() :] if item else line
        pieces: list[str] = []
        after = 0
        for match in MARKER.finditer(content):
            pieces.append(_stressed(escape_markdown(content[after : match.start()])))
            pieces.append(_marker(int(match.group(1)), links))
            after = match.end()
        pieces.append(_stressed(escape_markdown(content[after:])))
        sign = "" if not item else f"{item.group(1)}. " if item.group(1) else "- "
        is_new_list = bool(item) and bool(lines) and not _is_item(lines[-1])
        if is_new_list and lines[-1]:
            lines.append("")
        lines.append(sign + "".join(pieces).strip(" "))
    return "\n".join(lines).strip("\n")


def _stressed(escaped: str) -> str:
    """Escaped text with the marks of sentences without support made to stand out."""
    for mark in MARKS:
        escaped = escaped.replace(mark, f"***{mark}***")
    return escaped


def _is_item(line: str) -> bool:
    return line.startswith("- ") or bool(re.match(r"\d{1,3}\. ", line))


def _sources(citations: Sequence[Citation], links: dict[int, str]) -> str:
    """One line for each place that is cited, with the markers that lead there."""
    places: dict[tuple[str, tuple[str, ...]], list[Citation]] = {}
    for citation in citations:
        key = (citation.document.id, citation.passage.heading)
        places.setdefault(key, []).append(citation)
    lines = []
    named: set[str] = set()
    for cited in places.values():
        document = cited[0].document
        markers = " ".join(_marker(citation.number, links) for citation in cited)
        said = [escape_markdown(_source_line(document, cited[0].passage))]
        said += [escape_markdown(part) for part in (document_line(document),) if part]
        if document.id not in named:
            said += [f"*{escape_markdown(_one_line(notice.text))}*" for notice in document.notices]
        named.add(document.id)
        lines.append(f"- {markers} {' · '.join(said)}")
    return "**Sources**\n\n" + "\n".join(lines)


def _nearest(nearest: Sequence[Evidence]) -> str:
    lines = [
        f"- [{escape_markdown(_source_line(evidence.document, evidence.hit.passage))}]"
        f"({source_address(evidence.hit.passage)})"
        for evidence in nearest
    ]
    return "**Closest in the library**\n\n" + "\n".join(lines)


def footnotes(answer: Answer, base_url: str = "") -> tuple[Footnote, ...]:
    """The citations written out; `base_url` (scheme and host) makes the permalinks whole."""
    return tuple(
        Footnote(
            number=citation.number,
            quote=_one_line(plain(citation.quote)),
            source=_footnote_source(citation),
            url=secure_url(citation.document.url),
            permalink=base_url + citation.permalink,
        )
        for citation in answer.citations
    )


def _footnote_source(citation: Citation) -> str:
    document = citation.document
    notices = [_one_line(notice.text) for notice in document.notices]
    said = [_source_line(document, citation.passage), document_line(document), *notices]
    return plain(" · ".join(part for part in said if part))


def answer_copy_text(answer: Answer, base_url: str = "") -> str:
    """The answer as plain text with its citations written out below, to paste anywhere."""
    parts = [_one_line(plain(notice)) for notice in answer.notices]
    parts.append(plain(marked_text(answer)).strip())
    notes = []
    for note in footnotes(answer, base_url):
        link = note.url or note.permalink
        notes.append(f"[{note.number}] “{note.quote}” — {note.source}" + (f" {link}" * bool(link)))
    parts.append("\n".join(notes))
    parts.append(checked_line(answer))
    return "\n\n".join(part for part in parts if part)


def conversation_markdown(exchanges: Sequence[Exchange]) -> str:
    """A conversation as a Markdown file: questions as headings, sources below each answer."""
    parts = ["# Conversation with Rapporteur"]
    for exchange in exchanges:
        parts.append(f"## {escape_markdown(_one_line(exchange.question))}")
        parts += [f"> {escape_markdown(_one_line(notice))}" for notice in exchange.notices]
        parts.append(_body(exchange.text, {}))
        notes = []
        for note in exchange.footnotes:
            url = secure_url(note.url)
            notes.append(
                f"- \\[{note.number}\\] “{escape_markdown(_one_line(note.quote))}” — "
                f"{escape_markdown(_one_line(note.source))}" + (f" <{url}>" if url else "")
            )
        if notes:
            parts.append("### Sources\n\n" + "\n".join(notes))
        if exchange.proof:
            parts.append(f"*{escape_markdown(_one_line(exchange.proof))}*")
    return "\n\n".join(part for part in parts if part) + "\n"
