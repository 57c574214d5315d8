"""PDF → outline. The only file that uses pypdf.

Owns what stands on every page (running heads, page numbers) and the limits on pages. What the
lines mean is for `structure` to say. Knows nothing of files.
"""

import io
import logging
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from pypdf import PdfReader
from pypdf.errors import DependencyError, FileNotDecryptedError, PyPdfError

from corpus.cleaning import clean, one_line
from corpus.errors import UnreadableFile
from corpus.outline import Outline
from corpus.structure import plain_outline

_MOST_PAGES = 2_000
_MOST_CHARACTERS = 20_000_000
_EDGE_LINES = 3
"""So many lines at the top and the bottom of a page may be a running head or foot."""
_PAGE_NUMBER = re.compile(
    r"(?i)^\W*(?:page\s+|p\.\s*)?(?:\d{1,4}|[ivxlc]{1,6})(?:\s*(?:of|/)\s*\d+)?\W*$"
)
_USELESS_TITLE = re.compile(
    r"(?i)untitled|microsoft word|\.(?:docx?|indd|pdf|tex|qxd)\b|^document\d*$"
)


def pdf_outline(path: str, data: bytes, fallback_title: str) -> Outline:
    """The outline of a PDF's text.

    Raises `UnreadableFile` for encrypted files, scans without text, and files with more than
    2,000 pages or 20 million characters.
    """
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise _encrypted(path)
        count = len(reader.pages)
        if count > _MOST_PAGES:
            raise UnreadableFile(path, f"it has {count} pages, more than 2,000.", "Split it up.")
        pages = _page_texts(path, reader, count)
        language = one_line(str(reader.root_object.get("/Lang", "")))
        declared = one_line(str(reader.metadata.title or "")) if reader.metadata else ""
    except (DependencyError, FileNotDecryptedError) as error:
        raise _encrypted(path) from error
    except (PyPdfError, KeyError, ValueError, TypeError, AttributeError, IndexError) as error:
        raise UnreadableFile(
            path,
            f"it is not a sound PDF ({type(error).__name__}).",
            "Save or print it to PDF again.",
        ) from error
    lines = without_running_lines([page.split("\n") for page in pages])
    cleaned = clean("\n".join(lines))
    if len(re.findall(r"\w", cleaned.text)) < 10 * min(count, 5):
        raise UnreadableFile(
            path, "it holds no text, only images of pages.", "Run OCR first, for example ocrmypdf."
        )
    outline = plain_outline(cleaned.text, fallback_title)
    notices = (*outline.notices, *cleaned.notices)
    if outline.title_derived and declared and not _USELESS_TITLE.search(declared):
        outline = replace(outline, title=clean(declared).text, title_derived=False)
    return replace(outline, language=clean(language).text[:20], notices=notices)


def _encrypted(path: str) -> UnreadableFile:
    return UnreadableFile(path, "it is encrypted.", "Remove its password and save it again.")


def _page_texts(path: str, reader: PdfReader, count: int) -> list[str]:
    pages: list[str] = []
    size = 0
    for number in range(count):
        text = reader.pages[number].extract_text()
        size += len(text)
        if size > _MOST_CHARACTERS:
            raise UnreadableFile(path, "it holds more than 20 million characters.", "Split it up.")
        pages.append(text)
    return pages


def without_running_lines(pages: Sequence[Sequence[str]]) -> list[str]:
    """The lines of all pages without page numbers, running heads and running feet.

    A line is running when it is among the first or last three of at least three pages and a
    third of all, digits aside, and nothing but such lines stands outside it. A paragraph goes on
    over a page's end: no empty line is put between pages.
    """
    filled = [[line.rstrip() for line in page if line.strip()] for page in pages]
    counts = Counter(
        key
        for lines in filled
        for key in {_running_key(line) for line in lines[:_EDGE_LINES] + lines[-_EDGE_LINES:]}
    )
    needed = max(3, len(pages) / 3)
    kept: list[str] = []
    for page in pages:
        lines = [line.rstrip() for line in page]
        for outer in (-1, 0):
            for _ in range(_EDGE_LINES):
                while lines and not lines[outer].strip():
                    lines.pop(outer)
                line = lines[outer] if lines else ""
                if not _PAGE_NUMBER.match(line) and counts[_running_key(line)] < needed:
                    break
                lines.pop(outer)
        kept.extend(lines)
    return kept


def _running_key(line: str) -> str:
    return re.sub(r"\d+", "#", one_line(line).casefold())
