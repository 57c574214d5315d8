"""Whether two texts bind to the same degree: what must be, what may be, what should be.

Owns the words of each degree, and which word they bind to what. Knows nothing of numbers,
names or denials.
"""

from collections.abc import Iterator

from assistant.claims import Claims

_DUTY, _WISH, _CHOICE = "duty", "wish", "choice"
_DEGREES = {
    "must": _DUTY, "shall": _DUTY, "required": _DUTY, "obliged": _DUTY, "obligated": _DUTY,
    "should": _WISH, "ought": _WISH, "encouraged": _WISH, "recommended": _WISH,
    "may": _CHOICE, "might": _CHOICE, "can": _CHOICE, "could": _CHOICE, "free": _CHOICE,
}  # fmt: skip
_AHEAD = 5
_BARS = frozenset(".;:,\n")


def degrees_agree(said: Claims, held: Claims) -> bool:
    """Whether no word that both texts bind is a duty in one and a choice or a wish in the other."""
    theirs: dict[str, set[str]] = {}
    for stem, degree in _bound(held):
        theirs.setdefault(stem, set()).add(degree)
    return all(degree in theirs.get(stem, {degree}) for stem, degree in _bound(said))


def _bound(claims: Claims) -> Iterator[tuple[str, str]]:
    """Each word that stands right behind a word of a degree, and the degree."""
    for place, word in enumerate(claims.words):
        degree = _DEGREES.get(word)
        if degree is None or (word == "may" and claims.words[place + 1 : place + 2] == ("of",)):
            continue
        for at in range(place + 1, min(place + 1 + _AHEAD, len(claims.words))):
            if claims.words[at] in _BARS:
                break
            if claims.stems[at]:
                yield claims.stems[at], degree
                break
