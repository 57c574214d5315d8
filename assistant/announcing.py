"""Whether a line only announces the list below it: "The committee has these tasks:".

Owns what such a line may say without being proved by itself. Knows nothing of markers, of
streams or of what becomes of it.
"""

import re

from assistant.claims import Claims, Fact, Kind, claims_of

# A line that holds a figure, a name, a denial or a word with an opposite claims a fact. Of what
# else it says, all must stand in the passage, but for the words by which lists are announced.
_ANNOUNCING = claims_of(
    "follow follows following passage passages source sources document documents text texts"
    " name names list lists mention mentions describe describes give gives say says state states"
    " include includes including point points step steps way ways thing things item items part"
    " parts example examples namely among them overview summary short answer main several"
    " various different key"
)
_ALLOWED = frozenset(stem for stem in _ANNOUNCING.stems if stem)


def only_announces(line: str, source: str, context: str) -> bool:
    """Whether `line` says nothing that must be proved beyond the items below it.

    `source` is the passage that bears an item, `context` its title and headings.
    """
    if not line.rstrip().endswith(":"):
        return False
    said = claims_of(line)
    there = {*claims_of(source).stems, *claims_of(context).stems, *_ALLOWED}
    if said.negations or any(_claims(fact, said, source) for fact in said.facts):
        return False
    return all(stem in there for stem in said.stems if stem)


def _claims(fact: Fact, said: Claims, source: str) -> bool:
    """Whether a fact of the line is more than a common word."""
    if fact.kind is Kind.NAME:
        if fact.common or said.stems[fact.place] in _ALLOWED:
            return False
        # A capital that opens a line is no name where the passage writes the word small.
        return not (fact.opens and re.search(rf"\b{re.escape(fact.name[0])}\b", source))
    return fact.kind is not Kind.OPPOSITE or said.stems[fact.place] not in _ALLOWED
