"""HTML → outline. The only file that uses trafilatura and lxml.

Owns what of a page is hidden from its readers and how trafilatura's tree becomes pieces.
Knows nothing of files.
"""

import re
from collections.abc import Iterable, Iterator

import trafilatura
from lxml import etree  # type: ignore[import-untyped]
from lxml import html as markup

from corpus.cleaning import clean, decode, hidden_text_notice, one_line
from corpus.documents import Notice
from corpus.errors import UnreadableFile
from corpus.furniture import ai_notice, announces, is_furniture
from corpus.lines import starts_item
from corpus.outline import Outline, Piece, normalised_levels

_MOST_ELEMENTS = 200_000
_DEEPEST = 1_000
_CHARSET = re.compile(rb"""(?i)<meta[^>]{0,200}charset\s*=\s*["']?([\w-]{3,20})""")
_SAFE_CHARSETS = re.compile(
    r"(?i)^(?:utf-?8|utf-?16(?:le|be)?|iso-8859-\d+|windows-125\d|koi8-[ru]|"
    r"gb2312|gbk|gb18030|big5|shift_jis|euc-(?:jp|kr)|us-ascii|latin-?1)$"
)
_CONCEALED = re.compile(
    r"(?i)display\s*:\s*none|visibility\s*:\s*hidden|opacity\s*:\s*0(?:\.0*)?\s*(?:;|!|$)"
    r"|font-size\s*:\s*0(?:\.0*)?(?:px|pt|em|rem|%)?\s*(?:;|!|$)"
    r"|(?:^|;)\s*color\s*:\s*(?:white|transparent|#fff(?:fff)?\b|rgb\(\s*255\s*,\s*255\s*,\s*255)"
    r"|(?:text-indent|left|top)\s*:\s*-\d{3,}"
)
_NEVER_TEXT = ("script", "style", "noscript", "template", "iframe", "svg", "object", "form")
_NOTICE_REACH = 6
_SHORT_PAGE = 400
"""Characters; less is too little for trafilatura to tell the text from its surroundings."""


def html_outline(path: str, data: bytes, fallback_title: str) -> Outline:
    """The main text of a page: headings, paragraphs, lists and table rows, hidden text dropped.

    Raises `UnreadableFile` where the page is too large, too deep or holds no text.
    """
    cleaned = clean(_decoded(data))
    tree = _tree(path, cleaned.text)
    hidden = _drop_hidden(tree)
    language = one_line(tree.get("lang") or "")
    heading = one_line(" ".join(_texts(tree.iter("h1"))))
    found = trafilatura.bare_extraction(
        tree, include_comments=False, include_tables=True, with_metadata=True, as_dict=False
    )
    body = getattr(found, "body", None)
    pieces = list(_pieces(body)) if body is not None else []
    if sum(len(piece.text) for piece in pieces) < _SHORT_PAGE:
        shown = tree.find("body")
        pieces = list(_pieces(tree if shown is None else shown)) or pieces
    title = _title(found, tree, heading) or fallback_title
    pieces, notices = _without_furniture(pieces, title)
    if hidden:
        notices.append(hidden_text_notice())
    return Outline(
        pieces=normalised_levels(pieces),
        title=title,
        title_derived=title == fallback_title,
        url=_field(found, "url"),
        publisher=_field(found, "sitename"),
        published=_field(found, "date"),
        language=language or _field(found, "language"),
        notices=(*notices, *cleaned.notices),
    )


def _decoded(data: bytes) -> str:
    """The page's text: the encoding it declares if that is a safe one that fits, else by rule."""
    declared = _CHARSET.search(data[:4096])
    name = declared[1].decode("ascii", "ignore") if declared else ""
    if not data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")) and _SAFE_CHARSETS.match(
        name
    ):
        try:
            return data.decode(name)
        except (UnicodeDecodeError, LookupError):
            return decode(data)
    return decode(data)


def _tree(path: str, text: str) -> markup.HtmlElement:
    parser = markup.HTMLParser(
        no_network=True, remove_comments=True, remove_pis=True, huge_tree=False, encoding="utf-8"
    )
    try:
        tree = markup.document_fromstring(text.encode("utf-8"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError) as error:
        raise UnreadableFile(path, "no text was found in it.", "Save the page again.") from error
    depth = 0
    for count, (event, _) in enumerate(etree.iterwalk(tree, events=("start", "end"))):
        depth += 1 if event == "start" else -1
        if depth > _DEEPEST or count > 2 * _MOST_ELEMENTS:
            raise UnreadableFile(
                path, "its markup is too deep or too large.", "Save its text as a .txt file."
            )
    return tree


def _drop_hidden(tree: markup.HtmlElement) -> bool:
    """Remove what a reader of the page does not see; whether any of it held words."""
    found = False
    for element in list(tree.iter()):
        if not isinstance(element.tag, str):
            continue
        concealed = (
            "hidden" in element.attrib
            or _CONCEALED.search(element.get("style") or "")
            or element.get("aria-hidden") == "true"
        )
        if concealed or element.tag in _NEVER_TEXT:
            parent = element.getparent()
            if parent is None:
                continue
            worded = len("".join(element.itertext()).split()) >= 3
            found = found or bool(concealed and worded and element.tag not in _NEVER_TEXT)
            element.drop_tree()
    return found


def _title(found: object, tree: markup.HtmlElement, heading: str) -> str:
    """The page's only main heading, else what trafilatura makes of its title, if it has one."""
    if sum(1 for _ in tree.iter("h1")) == 1:
        return heading
    return _field(found, "title") if any(True for _ in tree.iter("title")) else ""


def _field(found: object, name: str) -> str:
    value = getattr(found, name, None)
    return one_line(value) if isinstance(value, str) else ""


def _texts(elements: Iterable[etree._Element]) -> Iterator[str]:
    for element in elements:
        yield one_line("".join(element.itertext()))


def _pieces(body: etree._Element) -> Iterator[Piece]:
    """Pieces of trafilatura's tree (`head`, `p`, `list`/`item`, `row`) or of plain HTML."""
    stack: list[tuple[etree._Element, str]] = [(body, "")]
    numbers: dict[etree._Element, int] = {}
    fresh = False
    while stack:
        element, list_kind = stack.pop()
        tag = element.tag if isinstance(element.tag, str) else ""
        if tag in ("list", "ul", "ol", "table"):
            ordered = tag == "ol" or element.get("rend") == "ol"
            fresh = list_kind == ""
            numbers[element] = 0
            stack.extend((child, "ol" if ordered else "ul") for child in reversed(element))
            continue
        text = one_line(_own_text(element))
        if tag == "head" or re.fullmatch(r"h[1-6]", tag):
            level = int((element.get("rend") or tag)[-1]) if tag != "head" else _rend_level(element)
            if text:
                yield Piece(kind="heading", text=text, level=level)
        elif tag in ("item", "li", "row", "tr") and text:
            parent = element.getparent()
            words = " | ".join(_cells(element)) if tag in ("row", "tr") else text
            if tag in ("item", "li") and not starts_item(words):
                numbers[parent] = numbers.get(parent, 0) + 1
                words = f"{numbers[parent]}. {words}" if list_kind == "ol" else f"• {words}"
            yield Piece(kind="item", text=words, opens_list=fresh)
            fresh = False
            inner = [child for child in element if child.tag in ("list", "ul", "ol")]
            stack.extend((child, list_kind) for child in reversed(inner))
        elif tag in ("p", "quote", "blockquote", "pre", "code", "ab") or not len(element):
            if text and tag not in ("title", "head", "meta", "link"):
                yield Piece(kind="paragraph", text=text)
        else:
            if element.text and element.text.strip():
                yield Piece(kind="paragraph", text=one_line(element.text))
            stack.extend((child, list_kind) for child in reversed(element))


def _rend_level(element: etree._Element) -> int:
    match = re.fullmatch(r"h([1-6])", element.get("rend") or "")
    return int(match[1]) if match else 2


def _own_text(element: etree._Element) -> str:
    """The text of an element without the lists inside it."""
    parts = [element.text or ""]
    for child in element:
        if child.tag not in ("list", "ul", "ol"):
            parts.append(" " if child.tag in ("lb", "br") else _own_text(child))
        parts.append(child.tail or "")
    return "".join(parts)


def _cells(row: etree._Element) -> list[str]:
    return [one_line("".join(cell.itertext())) for cell in row]


def _without_furniture(pieces: list[Piece], title: str) -> tuple[list[Piece], list[Notice]]:
    kept: list[Piece] = []
    notices: list[Notice] = []
    for place, piece in enumerate(pieces):
        edge = place < _NOTICE_REACH or place >= len(pieces) - _NOTICE_REACH
        notice = ai_notice(piece.text) if edge and piece.kind == "paragraph" else None
        same = piece.kind == "heading" and piece.text.casefold() == title.casefold() and not kept
        if notice:
            notices.append(notice)
        elif same or (piece.kind == "paragraph" and _idle(piece.text, title, place)):
            continue
        else:
            kept.append(piece)
    return kept, notices


def _idle(text: str, title: str, place: int) -> bool:
    return is_furniture(text) or (place < _NOTICE_REACH and announces(text, title))
