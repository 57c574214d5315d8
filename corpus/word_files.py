"""DOCX → outline. The only file that uses python-docx and defusedxml.

Owns the checks on the archive before anything is unpacked, and what Word's styles mean. Knows
nothing of files.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field

import docx
from defusedxml import DefusedXmlException, ElementTree
from docx.document import Document as WordDocument
from docx.opc.exceptions import PackageNotFoundError
from docx.table import Table
from docx.text.paragraph import Paragraph

from corpus.cleaning import Cleaned, clean, one_line
from corpus.documents import Notice
from corpus.errors import UnreadableFile
from corpus.lines import starts_item
from corpus.outline import Outline, Piece, normalised_levels, take_notices

_MOST_MEMBERS = 2_000
_MOST_UNPACKED = 200 * 1024 * 1024
_MOST_TEXT_UNPACKED = 60 * 1024 * 1024
"""Bytes of XML; as a tree in memory it takes some ten times as much."""
_MOST_RATIO = 150
_RATIO_FROM = 5 * 1024 * 1024
"""Small members may be packed tighter than `_MOST_RATIO`; runs of spaces are."""
_HEADING_STYLE = re.compile(r"(?i)^(?:heading|überschrift|titre|título|titolo)\s*(\d)$")
_NOTICE_REACH = 6
_BULLET = "• "


def word_outline(path: str, data: bytes, fallback_title: str) -> Outline:
    """The outline of a Word document: heading styles, lists with markers, one line a table row.

    Raises `UnreadableFile` for archives that would unpack to too much, entity declarations,
    encrypted files (which are no archives) and anything that is no Word document.
    """
    _check_archive(path, data)
    try:
        document = docx.Document(io.BytesIO(data))
    except (PackageNotFoundError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise UnreadableFile(
            path, "it is not a sound Word document.", "Open it in Word and save it again as .docx."
        ) from error
    found = _Walk(document=document)
    pieces = list(found.pieces())
    declared = clean(one_line(document.core_properties.title or "")).text
    title = found.title or declared
    if not title:
        title, pieces = _first_heading(pieces)
    pieces, notices = take_notices(pieces, _NOTICE_REACH)
    if found.hidden:
        notices = [*notices, *found.hidden]
    return Outline(
        pieces=normalised_levels(pieces),
        title=title or fallback_title,
        title_derived=not title,
        language=document.core_properties.language or "",
        notices=tuple(dict.fromkeys(notices)),
    )


def _check_archive(path: str, data: bytes) -> None:
    """Refuse an archive by what its directory declares, before any of it is unpacked."""
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise UnreadableFile(
            path, "it is encrypted or an old .doc file.", "Save it as .docx without a password."
        )
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            total = sum(member.file_size for member in members)
            texts = [member for member in members if member.filename.endswith((".xml", ".rels"))]
            if (
                len(members) > _MOST_MEMBERS
                or total > _MOST_UNPACKED
                or sum(member.file_size for member in texts) > _MOST_TEXT_UNPACKED
                or any(_too_dense(member) for member in members)
            ):
                raise UnreadableFile(
                    path, "it unpacks to far more than a document holds.", "Remove or replace it."
                )
            if any(_declares_entities(archive, member) for member in texts):
                raise UnreadableFile(
                    path, "its XML is broken or declares entities.", "Save it again in Word."
                )
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise UnreadableFile(
            path, "it is not a sound Word document.", "Open it in Word and save it again as .docx."
        ) from error


def _too_dense(member: zipfile.ZipInfo) -> bool:
    packed = max(1, member.compress_size)
    return member.file_size > _RATIO_FROM and member.file_size / packed > _MOST_RATIO


def _declares_entities(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bool:
    """Whether a member has a document type declaration, which is where entities come from."""
    try:
        with archive.open(member) as file:
            for _, element in ElementTree.iterparse(file, forbid_dtd=True):
                element.clear()
    except (DefusedXmlException, ElementTree.ParseError):
        return True
    return False


def _first_heading(pieces: list[Piece]) -> tuple[str, list[Piece]]:
    tops = [place for place, piece in enumerate(pieces) if piece.level == 1]
    if pieces and pieces[0].kind == "heading" and (len(tops) == 1 or pieces[0].level < 1):
        return pieces[0].text, pieces[1:]
    return "", pieces


@dataclass(kw_only=True)
class _Walk:
    """One pass over a document's paragraphs and tables; counts the numbered lists."""

    document: WordDocument
    title: str = ""
    hidden: list[Notice] = field(default_factory=list)
    number: int = 0
    list_key: tuple[str, str] | None = None

    def pieces(self) -> Iterator[Piece]:
        for block in self.document.iter_inner_content():
            if isinstance(block, Table):
                yield from self._table(block)
            else:
                yield from self._paragraph(block)

    def _clean(self, text: str) -> str:
        cleaned: Cleaned = clean(text)
        self.hidden.extend(cleaned.notices)
        return one_line(cleaned.text)

    def _paragraph(self, paragraph: Paragraph) -> Iterator[Piece]:
        text = self._clean(_visible_text(paragraph))
        if not text:
            return
        style = (paragraph.style.name if paragraph.style else "") or ""
        heading = _HEADING_STYLE.match(style)
        if style == "Title" and not self.title:
            self.title = text
        elif heading:
            self.list_key = None
            yield Piece(kind="heading", text=text, level=int(heading[1]))
        elif style.startswith("List") or _list_id(paragraph):
            yield self._item(text, style, _list_id(paragraph))
        else:
            self.list_key = None
            yield Piece(kind="item" if starts_item(text) else "paragraph", text=text)

    def _item(self, text: str, style: str, list_id: str) -> Piece:
        """A list item; another style or list number begins another list."""
        numbered = "number" in style.lower()
        opens, self.list_key = self.list_key != (style, list_id), (style, list_id)
        self.number = 1 if opens else self.number + 1
        marker = "" if starts_item(text) else f"{self.number}. " if numbered else _BULLET
        return Piece(kind="item", text=marker + text, opens_list=opens)

    def _table(self, table: Table) -> Iterator[Piece]:
        self.list_key = None
        for place, row in enumerate(table.rows):
            cells: list[str] = []
            previous = None
            for cell in row.cells:
                if cell._tc is not previous:  # a merged cell is listed once for each column
                    cells.append(self._clean(cell.text))
                previous = cell._tc
            if any(cells):
                yield Piece(kind="item", text=" | ".join(cells), opens_list=place == 0)


def _list_id(paragraph: Paragraph) -> str:
    """The number of the list that a paragraph belongs to by its own properties, or nothing."""
    found = paragraph._p.xpath("./w:pPr/w:numPr/w:numId/@w:val")
    return str(found[0]) if found else ""


def _visible_text(paragraph: Paragraph) -> str:
    """A paragraph's text, links included, without runs that are marked hidden."""
    parts: list[str] = []
    for inner in paragraph.iter_inner_content():
        for run in getattr(inner, "runs", [inner]):
            if not run.font.hidden:
                parts.append(run.text)
    return "".join(parts)
