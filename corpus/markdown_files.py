"""Markdown → outline. The only file that uses markdown-it-py and python-frontmatter.

Owns what front matter means and how Markdown blocks become plain ones. Parses, never matches
patterns; knows nothing of files.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import frontmatter
import yaml  # type: ignore[import-untyped]
from markdown_it import MarkdownIt
from markdown_it.token import Token

from corpus.cleaning import one_line
from corpus.documents import Notice, StatedDifference
from corpus.furniture import ai_notice
from corpus.outline import Outline, Piece, normalised_levels, take_notices

_ATX = re.compile(r"(?m)^#{1,6} +\S")
_BREAK = re.compile(r"(?i)<br\s*/?>")
_HIDDEN = re.compile(r"(?s)<!--.*?-->")
_NOTICE_REACH = 4
_SIDES = ("about", "here", "document", "there")


class BadFrontMatter(ValueError):
    """The front matter is not valid YAML, or not a table."""


def looks_like_markdown(text: str) -> bool:
    """Whether a plain-text file holds Markdown: front matter, or two headings marked with #."""
    sample = text[:200_000]
    fenced = sample.startswith("---\n") and "\n---\n" in sample
    if fenced and re.match(r"---\n[A-Za-z_]+:", sample):
        return True
    return len(_ATX.findall(sample)) >= 2


def markdown_outline(text: str, fallback_title: str) -> Outline:
    """The outline of clean Markdown text.

    Front matter gives `title`, `kind`, `url`, `publisher`, `published` (or `as_of`), `language`,
    `notices` and `status`; other keys are left alone. The title is that of the front matter,
    else the first heading of level 1 if it is the only one or opens the text. Levels are
    counted from the outermost heading that is left. Raises `BadFrontMatter`.
    """
    meta, body = front_matter(text)
    pieces = list(_Walk(tokens=_parser().parse(body)).pieces())
    title, pieces = _take_title(_plain(meta, "title"), pieces)
    declared = _declared_notices(meta)
    pieces, notices = take_notices(pieces, _NOTICE_REACH)
    if any(notice.kind == "ai-generated" for notice in declared):
        notices = []  # the body says in other words what the front matter says
    return Outline(
        pieces=normalised_levels(pieces),
        title=title or fallback_title,
        title_derived=not title,
        kind=_plain(meta, "kind"),
        url=_plain(meta, "url"),
        publisher=_plain(meta, "publisher"),
        published=_plain(meta, "published") or _plain(meta, "as_of"),
        language=_plain(meta, "language") or _plain(meta, "lang"),
        notices=(*declared, *notices),
        differences=tuple(_differences(meta)),
    )


def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": True, "maxNesting": 40}).enable(
        ["table", "strikethrough"]
    )


def front_matter(text: str) -> tuple[Mapping[str, object], str]:
    """What clean Markdown text declares of itself, and the rest. Raises `BadFrontMatter`."""
    try:
        meta, body = frontmatter.parse(text)
    except (yaml.YAMLError, ValueError, TypeError, AttributeError) as error:
        raise BadFrontMatter(one_line(str(error))[:200]) from error
    if not isinstance(meta, Mapping):
        raise BadFrontMatter("front matter is not a table of keys and values")
    return meta, body


def _plain(meta: Mapping[str, object], key: str) -> str:
    value = meta.get(key)
    if value is None or isinstance(value, (Mapping, list, bool)):
        return ""
    return one_line(str(value))


def _declared_notices(meta: Mapping[str, object]) -> list[Notice]:
    """Notices of the front matter: tables of `kind` and `text`, or sentences, or one of either."""
    declared = meta.get("notices") or []
    notices: list[Notice] = []
    for entry in declared if isinstance(declared, list) else [declared]:
        if isinstance(entry, Mapping):
            words, kind = _plain(entry, "text"), _plain(entry, "kind") or "declared"
        else:
            words = one_line(str(entry))
            kind = "ai-generated" if ai_notice(words) else "declared"
        if words:
            notices.append(Notice(kind=kind, text=words))
    status = _plain(meta, "status")
    if status:
        notices.append(Notice(kind="status", text=status[0].upper() + status[1:]))
    return notices


def _differences(meta: Mapping[str, object]) -> Iterator[StatedDifference]:
    """The front matter's `differences`: tables of `about`, `here`, `document` and `there`."""
    entries = meta.get("differences") or []
    if not isinstance(entries, list):
        raise BadFrontMatter("`differences` is not a list")
    for entry in entries:
        parts = {key: _plain(entry, key) for key in _SIDES} if isinstance(entry, Mapping) else {}
        if not parts or not all(parts.values()):
            raise BadFrontMatter("a difference lacks one of: " + ", ".join(_SIDES))
        yield StatedDifference(**parts)


def _take_title(declared: str, pieces: list[Piece]) -> tuple[str, list[Piece]]:
    tops = [place for place, piece in enumerate(pieces) if piece.level == 1]
    if not tops:
        return declared, pieces
    first = pieces[tops[0]].text
    same = one_line(first).casefold() == declared.casefold()
    if same or len(tops) == 1 or (tops[0] == 0 and not declared):
        return declared or first, pieces[: tops[0]] + pieces[tops[0] + 1 :]
    return declared, pieces


@dataclass(kw_only=True)
class _Walk:
    """One pass over the parser's tokens; holds the lists and item markers that are open."""

    tokens: Sequence[Token]
    numbers: list[int | None] = field(default_factory=list)
    marker: str = ""
    fresh: bool = False
    row: list[str] | None = None

    def pieces(self) -> Iterator[Piece]:
        for place, token in enumerate(self.tokens):
            if token.type == "inline":
                yield from self._inline(self.tokens[place - 1], token)
            elif token.type in ("fence", "code_block"):
                yield self._block(one_line(token.content))
            elif token.type in ("bullet_list_open", "ordered_list_open"):
                self._open_list(token)
            elif token.type in ("bullet_list_close", "ordered_list_close"):
                self.numbers.pop()
                self.fresh = False
            elif token.type == "list_item_open":
                self._open_item(token)
            elif token.type == "table_open":
                self.fresh = True
            elif token.type == "tr_open":
                self.row = []
            elif token.type == "tr_close" and self.row is not None:
                yield self._table_row(self.row)

    def _open_list(self, token: Token) -> None:
        ordered = token.type == "ordered_list_open"
        self.numbers.append(int(token.attrs.get("start", 1)) - 1 if ordered else None)
        self.fresh = len(self.numbers) == 1

    def _open_item(self, token: Token) -> None:
        number = self.numbers[-1]
        if number is None:
            self.marker = f"{token.markup or '-'} "
        else:
            self.numbers[-1] = number + 1
            self.marker = f"{number + 1}{token.markup or '.'} "

    def _table_row(self, row: list[str]) -> Piece:
        self.row = None
        opens, self.fresh = self.fresh, False
        return Piece(kind="item", text=" | ".join(cell for cell in row), opens_list=opens)

    def _inline(self, opener: Token, token: Token) -> Iterator[Piece]:
        text = one_line(_inline_text(token))
        if self.row is not None:
            self.row.append(text)
        elif opener.type == "heading_open":
            if text:
                yield Piece(kind="heading", text=text, level=int(opener.tag[1]))
        elif text:
            yield self._block(text)

    def _block(self, text: str) -> Piece:
        """A paragraph, or an item when it is the first block after an item's marker.

        A further paragraph of an item is a paragraph: quoted by itself, kept in its section.
        """
        if not self.marker or not self.numbers:
            return Piece(kind="paragraph", text=text)
        marker, self.marker = self.marker, ""
        opens, self.fresh = self.fresh, False
        return Piece(kind="item", text=marker + text, opens_list=opens)


def _inline_text(token: Token) -> str:
    """The words of inline content: markup gone, links keep their text, HTML tags dropped."""
    parts: list[str] = []
    for child in token.children or ():
        if child.type in ("text", "code_inline"):
            parts.append(child.content)
        elif child.type.endswith("break") or _BREAK.fullmatch(child.content):
            parts.append(" ")
        elif child.type == "image":
            parts.append(child.content)
    return _HIDDEN.sub("", "".join(parts))
