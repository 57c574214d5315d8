"""What a question names: documents, things by their proper names, and exact references.

Owns how names, years, document symbols, article numbers and quoted phrases are read
from a question, and which documents it speaks of. Knows nothing of scores or answers.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from index.catalogue import Catalogue
from index.lexical import terms

_SYMBOL = re.compile(r"\b(?:[AES]|CCPR|CERD|CEDAW|CAT|CRC|CRPD|CED|CMW|ST|HRI)/[A-Z0-9][\w./-]+")
_ARTICLE = re.compile(
    r"\b(?:art(?:icle|\.)?|para(?:graph|\.)?|resolution|rule|principle|directive|"
    r"general (?:comment|recommendation))s? (?:no\.? )?\d[\w/().-]*",
    re.I,
)
_QUOTED = re.compile(r"[\"“«]([^\"”»]{3,80})[\"”»]")
_YEAR = re.compile(r"\b(1[5-9]\d\d|20\d\d)\b")
_CAPITAL = r"[A-ZÀ-Þ][\w’'-]*"
_JOINED = r"(?:\s+(?:of|on|for|the|and|to|against|de|des|du|la))*"
_NAME = re.compile(rf"\b{_CAPITAL}(?:{_JOINED}\s+{_CAPITAL})*")
_FIRST_WORDS = frozenset(
    (
        "what which who whom whose when where why how is are was were do does did can could "
        "should would will may might must has have had the a an in on at of for from to by with "
        "within and or but if once january february march april may june july august september "
        "october november december list name define describe explain compare contrast tell give "
        "summarize summarise please under since until during before after according through wich "
        "one i we you my it its this that these those they there were forget ignore also then"
    ).split()
)
_ABBREVIATION = re.compile(
    rf"((?:{_CAPITAL}[\s-]+(?:(?:of|on|for|the|and|to|against)\s+)*){{1,8}}{_CAPITAL})\s+\(([A-Z][A-Za-z]{{1,9}})\)"
)
# "Group of Seven (G7)": the letter of the first word and a figure.
_NUMBERED = re.compile(r"\b(([A-Z])[a-z]+ of [A-Z][a-z]+) \((\2\d{1,2})\)")

_MENTION = re.compile(
    r"\b(?:article|text|document|paper|page|one)s? (?:on|about|of|called|titled|named)\s+"
    r"([^?;,.]+?)(?=\s+(?:with|and|versus|against|to the|by|written|made|produced|generated|"
    r"says?|foresees?)\b|[?;,.)]|$)"
    r"|\bthe\s+((?:[\w’'-]+\s+){1,4}?)(?:article|text|document|paper)\b",
    re.I,
)


@dataclass(frozen=True, kw_only=True)
class References:
    """What must match word for word: exact ones (symbols, numbers, quoted) and names."""

    exact: tuple[str, ...]
    names: tuple[str, ...]


def references_of(text: str) -> References:
    """The references in `text`. A question all in capitals names nothing."""
    exact = [match.group() for match in _SYMBOL.finditer(text)]
    exact += [match.group(1) for match in _QUOTED.finditer(text)]
    exact += _YEAR.findall(text)
    exact += [match.group() for match in _ARTICLE.finditer(text)]
    letters = [char for char in text if char.isalpha()]
    if sum(char.isupper() for char in letters) > 0.6 * len(letters):
        return References(exact=tuple(dict.fromkeys(exact)), names=())
    names = []
    for match in _NAME.finditer(text):
        words = match.group().split()
        while words and words[0].lower().removesuffix("'s") in _FIRST_WORDS:
            words = words[1:]
        starts_sentence = match.start() == 0 or text[: match.start()].rstrip()[-1:] in ".?!:("
        if (
            starts_sentence
            and len(words) == len(match.group().split()) == 1
            and not words[0].isupper()
        ):
            continue  # any word is capital at the start of a sentence
        if words:
            names.append(" ".join(words))
    return References(exact=tuple(dict.fromkeys(exact)), names=tuple(dict.fromkeys(names)))


def abbreviations(catalogue: Catalogue) -> dict[str, str]:
    """Abbreviation → full name, as the library itself introduces them: "Full Name (FN)".

    The full name is cut to the words that the letters stand for.
    """
    found: dict[str, str] = {}
    for document in catalogue.documents.values():
        for match in _ABBREVIATION.finditer(document.text):
            words = match.group(1).replace("-", " ").split()
            short = match.group(2)
            for start in range(len(words)):
                initials = "".join(word[0] for word in words[start:] if word[0].isupper())
                if initials.casefold() == short.rstrip("s").casefold():
                    found.setdefault(short, " ".join(words[start:]))
                    break
        for match in _NUMBERED.finditer(document.text):
            found.setdefault(match.group(3), match.group(1))
    return found


def spelled_out(text: str, names: dict[str, str]) -> str:
    """`text` with the full name behind each abbreviation, and the reverse, once each."""
    added = []
    folded = text.casefold()
    for short, name in names.items():
        if re.search(rf"\b{re.escape(short)}s?\b", text) and name.casefold() not in folded:
            added.append(name)
        elif name.casefold() in folded and not re.search(rf"\b{re.escape(short)}\b", text):
            added.append(short)
    return f"{text} ({', '.join(added)})" if added else text


def mentioned_documents(
    text: str, catalogue: Catalogue, spell_out: Callable[[str], str]
) -> tuple[str, ...]:
    """Ids of the documents that `text` speaks of ("the article on …"), in its order.

    A document is meant when its title holds at least two of the first terms after
    the mention, or the only one, and more of them than any other title.
    """
    found: list[str] = []
    for match in _MENTION.finditer(text):
        phrase = match.group(1) or match.group(2)
        wanted = terms(spell_out(" ".join(phrase.split()[:8])))
        best = _best_title(wanted, catalogue)
        if best and best not in found:
            found.append(best)
    return tuple(found)


def _best_title(wanted: Sequence[str], catalogue: Catalogue) -> str:
    titles = {
        document.id: set(terms(f"{document.title} {document.path.rsplit('.', 1)[0]}"))
        for document in catalogue.documents.values()
    }
    weights = {
        term: 1.0 / max(1, sum(term in title for title in titles.values())) for term in wanted
    }
    scored = [
        (sum(weights[term] for term in dict.fromkeys(wanted) if term in title), document_id)
        for document_id, title in titles.items()
    ]
    scored.sort(reverse=True)
    if not scored or scored[0][0] < 0.5:
        return ""
    if len(scored) > 1 and scored[0][0] - scored[1][0] < 0.15:
        return ""
    return scored[0][1]


def without_mentions(text: str) -> str:
    """`text` less its mentions of documents, and less sentences that only compare those.

    The search is limited to the documents themselves, so their names would only draw
    it to the passages that introduce their subject.
    """
    kept = [
        sentence
        for sentence in re.split(r"(?<=[.?!])\s+", text)
        if not (_MENTION.search(sentence) and re.match(r"(compare|contrast)\b", sentence, re.I))
    ]
    bare = _MENTION.sub(" ", " ".join(kept))
    bare = re.sub(
        r"\b(according to|in|from|of|with|by)( the)?\s*(?=[,?.;)]|$)", "", bare, flags=re.I
    )
    return " ".join(bare.split()) or text
