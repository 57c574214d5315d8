"""Sentences: where one ends in running text, as exact offsets.

Owns the rules and the abbreviations: they look at the text and never rewrite it, so that
offsets stay exact. Knows nothing of documents or sections.
"""

import re
from collections.abc import Iterator

_SHORTEST = 3
"""Characters; less is joined to the sentence before."""

_END = re.compile(
    r"(?:(?<![.!?…])[.!?…]+|[。！？])[\"”’»')\]]*(?:\s*\[\d{1,3}\]|[¹²³⁴-⁹])?(?=\s|$)|[。！？]"
)
# After these a full stop does not end a sentence, whatever comes next.
_ALWAYS = frozenset(
    str.split(
        "mr mrs ms dr prof hon rev gen col capt lt sgt st messrs amb gov sen rep no nos art "
        "arts para paras vol vols ed eds fig figs sec sect ch chap pt cf viz vs v e.g i.e eg ie "
        "approx ca op cit p pp res doc ser rev. resp incl esp al"
    )
)
# After these, after initials ("J.", "plan B.") and after dotted letters ("U.N.") a sentence ends
# only where the next word is one that opens sentences.
_SOMETIMES = frozenset(
    str.split(
        "etc inc ltd co corp jan feb mar apr jun jul aug sep sept oct nov dec ibid add univ "
        "dept est ave blvd"
    )
)
_OPENERS = frozenset(
    str.split(
        "the this that these those it its they their he she his her we our in on at by for from "
        "as if when while where since after before until although but and or so yet however "
        "moreover furthermore additionally there such each every all some many most no not an "
        "with without under through to what who how why"
    )
)
_NOT_AFTER_NUMBER = frozenset({"no", "nos", "p", "pp", "art", "ch", "pt", "st", "v", "al", "res"})
_WORD_BEFORE = re.compile(r"([^\W_](?:[^\W_]|\.(?=[^\W_]))*)$")
_DOTTED = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]")
_INITIAL = re.compile(r"(?:^|[\s(“\"])[A-Z]$")


def sentence_spans(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each sentence of one paragraph, in order, without the space between."""
    start = _after_space(text, 0)
    spans: list[tuple[int, int]] = []
    for match in _END.finditer(text):
        end = match.end()
        if end <= start or not _ends_sentence(text, match.start(), match.group(), end):
            continue
        _add(spans, start, end)
        start = _after_space(text, end)
    stop = len(text.rstrip())
    if start < stop:
        _add(spans, start, stop)
    yield from spans


def _after_space(text: str, place: int) -> int:
    while place < len(text) and text[place].isspace():
        place += 1
    return place


def _add(spans: list[tuple[int, int]], start: int, end: int) -> None:
    if end - start < _SHORTEST and spans:
        spans[-1] = (spans[-1][0], end)
    else:
        spans.append((start, end))


def _ends_sentence(text: str, stop: int, mark: str, end: int) -> bool:
    following = re.match(r"\s*[\"“‘«'(\[¿¡]*(\w*)(.?)", text[end : end + 40])
    following_word = following[1] if following else ""
    first = following_word[:1] or (following[2] if following else "")
    if not first:
        return True
    if mark[0] in "…" or mark.startswith(".."):
        return not first.islower()
    if mark[0] in "!?":
        return not first.islower()
    if mark[0] != ".":
        return True
    return _stop_ends(text[max(0, stop - 24) : stop], mark, following_word or first)


def _stop_ends(before: str, mark: str, following: str) -> bool:
    """Whether a full stop after `before` ends a sentence when `following` is the next word."""
    first = following[0]
    if first.islower():
        return False
    match = _WORD_BEFORE.search(before)
    word = match[1].lower() if match else ""
    if word in _ALWAYS and len(mark) == 1:
        return word in _NOT_AFTER_NUMBER and not first.isdigit() and _plain_word(before, word)
    if word in _SOMETIMES or _DOTTED.fullmatch(word) or _INITIAL.search(before):
        return len(mark) > 1 or (first.isupper() and following.lower() in _OPENERS)
    # The number that opens a paragraph or the next point: "… out. 1. The Council …".
    return not re.search(r"(?:^|[.!?;:]\s)\d{1,2}$", before)


def _plain_word(before: str, word: str) -> bool:
    """Whether an abbreviation is spelled as an ordinary word that ends a sentence: "said no."."""
    return word == "no" and before.endswith("no")
