"""What a quotation is to the question, and the marks that say so in an answer's text.

Owns the wording of these marks. Knows nothing of how it is decided.
"""

from collections.abc import Mapping
from enum import StrEnum


class Standing(StrEnum):
    """What a quotation is: the answer, one of several that may be, or neither.

    The last are set apart: near the question, and less likely to be what was asked.
    """

    ANSWER = "answer"
    UNCLEAR = "unclear"
    FURTHER = "further"


ABOVE: Mapping[Standing, str] = {
    Standing.UNCLEAR: "It is not certain which quotation answers the question; nearest to it:",
    Standing.FURTHER: "Further quotations, near the question but less likely to be what it asks:",
}
"""The line above quotations that are not known to answer."""

OMITTED = "- …"
"""A line of a list in place of those that are not quoted."""


def without_further(text: str) -> str:
    """An answer's text without what is set apart in it."""
    return text.partition(ABOVE[Standing.FURTHER])[0]


def unmarked(text: str) -> str:
    """What an answer's text quotes as its answer, or as what may be it, without these marks."""
    text = without_further(text).replace(ABOVE[Standing.UNCLEAR], "")
    return "\n".join(line for line in text.splitlines() if line != OMITTED).strip()
