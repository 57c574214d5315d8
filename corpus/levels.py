"""How deep a heading stands when nothing but its words says so.

Owns the rules that tell a section from a part of a section in plain text. Knows headings, the
title and the paragraphs that follow a heading; nothing of lines, formats or files.

The rules, the first that speaks wins:

1. Numbers: "2.1 Scope" is one level below "2. Law"; a number always decides.
2. Letter case: where capitals ("LEGAL FRAMEWORK") or title case ("Legal Framework") alternate
   with plain case ("Legal framework"), the plain ones are the lower level.
3. Frame: "Introduction", "Conclusion" and the like are sections and have no parts.
4. Parallel form: two or more neighbours that open with an -ing form ("Enhancing …",
   "Building …") after a section that does not are parts of that section.
5. Empty parent: a heading directly under another one, without text between, is its part.
6. Listed: a heading that repeats an item of the section's list is a part of that section.
7. Subject: a heading that shares a word with the title names the subject: a section.
8. Announced: a heading whose words all but occur in one sentence of the section's own text
   is a part of it. What an "although" or "while" clause mentions is not announced.
9. Bare: where sections are headed by frame words ("The Role of …", "Challenges …") or by the
   subject, a heading that has neither is a part. Needs three such sections, the first among them.
10. Otherwise: a section.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from corpus.lines import NUMBERED_HEADING

_STANDALONE = frozenset(
    str.split(
        "introduction conclusion conclusions summary abstract foreword preface acknowledgements "
        "references sources bibliography notes appendix annex glossary faq"
    )
)
_FRAME = _STANDALONE | frozenset(
    str.split(
        "overview background role function importance significance impact impacts effect "
        "effects effectiveness challenge challenges opportunity opportunities obstacles hurdles "
        "barriers difficulties future outlook perspectives trends directions prospects path way "
        "forward case study studies best practices stakeholders understanding history "
        "definition methods results discussion recommendations limitations situation current"
    )
)
_SMALL = frozenset(
    str.split(
        "a an and are as at be by for from how in into is it its new of on or our that the "
        "their this through to toward towards under with within without between what which who "
        "why"
    )
)
_BACKDROP = re.compile(r"(?i)\b(?:although|though|while|whereas|despite)\b[^,.;]*[,.;]")
_SENTENCES = re.compile(r"(?<=[.!?])\s+")
_ENOUGH = 0.75
"""Share of a heading's words that a sentence must hold to announce it."""


@dataclass(frozen=True, kw_only=True)
class HeadedText:
    """A heading and the blocks under it, up to the next heading."""

    heading: str
    paragraphs: tuple[str, ...]
    items: tuple[str, ...]


def levels(sections: Sequence[HeadedText], title: str) -> list[int]:
    """The level of each heading, from 1, in order."""
    headings = [section.heading for section in sections]
    numbered = _numbered_levels(headings)
    if numbered:
        return numbered
    cased = _case_levels(headings, title)
    subject = _subject(title)
    tiers = _has_tiers(headings, subject)
    parallel = _parallel(headings)
    found: list[int] = []
    parent: HeadedText | None = None
    for place, section in enumerate(sections):
        if cased and cased[place]:
            level = cased[place]
        elif parent is None or _stands_alone(section.heading):
            level = 1
        elif parallel[place] or (sections[place - 1] is parent and _is_empty(parent)):
            level = 2
        else:
            level = 1 + _is_part(section.heading, parent, subject, tiers)
        found.append(level)
        if level == 1:
            parent = None if _stands_alone(section.heading) else section
    return found


def _is_empty(section: HeadedText) -> bool:
    return not section.paragraphs and not section.items


def _is_part(heading: str, parent: HeadedText, subject: Sequence[str], tiers: bool) -> bool:
    if _announced(heading, parent.items, 1.0) and len(_content(heading)) > 1:
        return True
    if _names(heading, subject):
        return False
    if _announced(heading, parent.paragraphs, _ENOUGH):
        return True
    return tiers and not _framed(heading)


def _numbered_levels(headings: Sequence[str]) -> list[int]:
    """Levels from numbers, if at least half of the headings bear one; a bare one is a section."""
    depths: list[int] = []
    for heading in headings:
        match = NUMBERED_HEADING.match(heading)
        if not match:
            depths.append(0)
        elif match["digits"]:
            depths.append(match["digits"].count(".") + 1)
        else:
            depths.append(1)
    if sum(1 for depth in depths if depth) * 2 < len(depths) or not any(depths):
        return []
    roman = any(re.match(r"[IVX]{1,5}[.)]\s", heading) for heading in headings)
    if roman:  # "II. …" is the outer tier, "1. …" the one within
        depths = [
            depth + 1 if depth and heading[0].isdigit() else depth
            for depth, heading in zip(depths, headings, strict=True)
        ]
    return [depth or 1 for depth in depths]


def _case_levels(headings: Sequence[str], title: str) -> list[int]:
    """1 for the upper letter case, 2 for the lower, 0 for headings too short to show one.

    Empty when there are not two cases, or when title case seems an accident of proper names:
    it must open the document, and be that of the title or of half of the headings.
    """
    styles = [_style(heading) for heading in headings]
    if "capitals" in styles:
        upper = "capitals"
    elif styles[:1] == ["title"] and (
        _style(title) == "title" or styles.count("title") >= styles.count("plain")
    ):
        upper = "title"
    else:
        return []
    lower = [style for style in styles if style not in (upper, "")]
    if len(lower) < 2 and not (upper == "capitals" and lower):
        return []
    return [0 if not style else 1 if style == upper else 2 for style in styles]


def _style(heading: str) -> str:
    letters = [letter for letter in heading if letter.isalpha()]
    if len(letters) > 3 and all(letter.isupper() for letter in letters):
        return "capitals"
    words = re.findall(r"[^\W\d_][\w’'-]*", heading)
    telling = [word for word in words[1:] if len(word) > 3 and word.lower() not in _SMALL]
    if not telling:
        return ""
    return "title" if all(word[0].isupper() for word in telling) else "plain"


def _parallel(headings: Sequence[str]) -> list[bool]:
    """Which headings stand in a run of two or more -ing openings that a section leads up to."""
    openings = [bool(re.match(r"[^\W\d_]{2,}ing\b", heading)) for heading in headings]
    marks = [False] * len(headings)
    start = 0
    while start < len(headings):
        end = start
        while end < len(headings) and openings[end]:
            end += 1
        if start > 0 and end - start >= 2 and end - start < len(headings) - 1:
            marks[start:end] = [True] * (end - start)
        start = max(end, start + 1)
    return marks


def _has_tiers(headings: Sequence[str], subject: Sequence[str]) -> bool:
    named = [_framed(heading) or _names(heading, subject) for heading in headings]
    return bool(named) and named[0] and sum(named) >= 3 and sum(named) * 5 >= len(named)


def _stands_alone(heading: str) -> bool:
    words = _words(heading)
    return bool(words) and words[0] in _STANDALONE and len(words) <= 2


def _framed(heading: str) -> bool:
    return any(word in _FRAME for word in _words(heading))


def _subject(title: str) -> list[str]:
    return [word for word in _content(title) if len(word) > 3 and not word.endswith("ing")]


def _names(heading: str, subject: Sequence[str]) -> bool:
    words = [word for word in _content(heading) if not word.endswith("ing")]
    return any(_alike(word, wanted) for word in words for wanted in subject)


def _announced(heading: str, texts: Sequence[str], share: float) -> bool:
    wanted = _content(heading)
    if not wanted:
        return False
    for text in texts:
        for sentence in _SENTENCES.split(text):
            there = _words(_BACKDROP.sub(" ", sentence))
            held = sum(1 for word in wanted if any(_alike(word, other) for other in there))
            if held >= share * len(wanted):
                return True
    return False


def _words(text: str) -> list[str]:
    return [re.sub(r"['’]s?$", "", word) for word in re.findall(r"[^\W\d_][\w’']*", text.lower())]


def _content(heading: str) -> list[str]:
    return [word for word in _words(heading) if word not in _SMALL and word not in _FRAME]


def _alike(one: str, other: str) -> bool:
    """Whether two words seem forms of one: equal, or alike in five letters and most of the longer.

    Enough for "technologies" and "technology"; a stemmer would need to know the language.
    """
    if one == other:
        return True
    shared = 0
    for first, second in zip(one, other, strict=False):
        if first != second:
            break
        shared += 1
    return shared >= 5 and shared * 10 >= max(len(one), len(other)) * 6
