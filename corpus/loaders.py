"""Suffix → loader: the bytes of one file become a `Document`.

Owns which formats are read, what kind a document is of, and how anticipated questions are
matched to headings. Each format's own file is loaded only when such a file comes.
"""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import PurePosixPath

from corpus.cleaning import NotText, clean, decode, one_line
from corpus.documents import Document, Notice, document_id, quotable_notices
from corpus.errors import UnreadableFile
from corpus.outline import Outline, assemble
from corpus.question_files import Anticipated, QuestionFile
from corpus.titles import title_from_name

SUFFIXES = frozenset({".md", ".markdown", ".txt", ".html", ".htm", ".pdf", ".docx"})
_FOLDER_KINDS = {
    "articles": "article",
    "instruments": "instrument",
    "mechanisms": "mechanism",
    "institutions": "institution",
    "regions": "region",
    "themes": "theme",
    "cases": "case",
}
_MOST_CHARACTERS = 20_000_000
_MOST_LINES = 500_000


def load(path: str, data: bytes, questions: bytes | None = None) -> Document:
    """The document that `data` holds; `path` is its path relative to the library.

    `questions` are the bytes of the question file beside it. Raises `UnreadableFile`, with a
    hint, for whatever is wrong with either.
    """
    if not data.strip(b"\0 \t\r\n\x0c\xef\xbb\xbf\xff\xfe"):
        raise UnreadableFile(path, "the file is empty.", "Put text into it or remove it.")
    pure = PurePosixPath(path)
    outline = _loader(pure.suffix.lower())(path, data, title_from_name(pure.stem))
    text, sections = assemble(outline.pieces)
    if not any(section.blocks for section in sections):
        raise UnreadableFile(path, "no text was found in it.", "Put text into it or remove it.")
    if len(text) > _MOST_CHARACTERS:
        raise UnreadableFile(path, "it holds more than 20 million characters.", "Split it up.")
    notices = tuple(dict.fromkeys(outline.notices))
    anticipated = Anticipated()
    if questions is not None:
        beside = f"{pure.with_suffix('')}.questions.toml"
        file = QuestionFile(document=path, path=beside, text=_text(beside, questions))
        anticipated = file.read(outline, text, sections)
    return Document(
        id=document_id(path),
        title=one_line(outline.title),
        kind=outline.kind or _folder_kind(pure),
        path=path,
        text="\n\n".join((text, *quotable_notices(notices))),
        sections=sections,
        digest=content_digest(data, questions),
        url=outline.url,
        publisher=outline.publisher,
        published=outline.published,
        language=outline.language,
        notices=notices,
        differences=outline.differences,
        asks=anticipated.asks,
        pointed=anticipated.pointed,
    )


def content_digest(data: bytes, questions: bytes | None) -> str:
    """SHA-256 of a file's bytes and, where there is one, of the question file's after it."""
    if questions is None:
        return hashlib.sha256(data).hexdigest()
    both = hashlib.sha256(data).digest() + hashlib.sha256(questions).digest()
    return hashlib.sha256(both).hexdigest()


def _folder_kind(path: PurePosixPath) -> str:
    return _FOLDER_KINDS.get(path.parts[0].lower(), "document")


def _loader(suffix: str) -> Callable[[str, bytes, str], Outline]:
    return {
        ".md": _markdown,
        ".markdown": _markdown,
        ".txt": _plain,
        ".html": _html,
        ".htm": _html,
        ".pdf": _pdf,
        ".docx": _word,
    }[suffix]


def _text(path: str, data: bytes) -> str:
    try:
        return decode(data)
    except NotText as error:
        raise UnreadableFile(
            path, f"it is not text ({error}).", "Save it as UTF-8 text or remove it."
        ) from error


def _plain(path: str, data: bytes, fallback: str) -> Outline:
    from corpus.markdown_files import looks_like_markdown
    from corpus.structure import plain_outline

    cleaned = clean(_text(path, data))
    if cleaned.text.count("\n") > _MOST_LINES:
        raise UnreadableFile(path, "it has more than 500,000 lines.", "Split it up.")
    if looks_like_markdown(cleaned.text):
        outline = _markdown_text(path, cleaned.text, fallback)
    else:
        outline = plain_outline(cleaned.text, fallback)
    return _noticed(outline, cleaned.notices)


def _markdown(path: str, data: bytes, fallback: str) -> Outline:
    cleaned = clean(_text(path, data))
    return _noticed(_markdown_text(path, cleaned.text, fallback), cleaned.notices)


def _markdown_text(path: str, text: str, fallback: str) -> Outline:
    from corpus.markdown_files import BadFrontMatter, markdown_outline

    try:
        return markdown_outline(text, fallback)
    except BadFrontMatter as error:
        raise UnreadableFile(
            path,
            f"its front matter can't be read ({error}).",
            "Put values that hold a colon or a quotation mark in double quotes.",
        ) from error


def _html(path: str, data: bytes, fallback: str) -> Outline:
    from corpus.html_files import html_outline

    return html_outline(path, data, fallback)


def _pdf(path: str, data: bytes, fallback: str) -> Outline:
    from corpus.pdf_files import pdf_outline

    return pdf_outline(path, data, fallback)


def _word(path: str, data: bytes, fallback: str) -> Outline:
    from corpus.word_files import word_outline

    return word_outline(path, data, fallback)


def _noticed(outline: Outline, notices: tuple[Notice, ...]) -> Outline:
    return replace(outline, notices=(*outline.notices, *notices)) if notices else outline
