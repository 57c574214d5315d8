"""Why a whole written answer can't be shown, though its model did answer.

Owns the kinds. What is told of them is in `phrases`; how they are found, in `proving`.
"""

from enum import StrEnum


class Flaw(StrEnum):
    """Why a whole answer can't be shown."""

    NO_ANSWER = "it says that there is none"
    DECLINED = "it declines to answer"
    UNMARKED = "no sentence names its passage"
    UNPROVED = "no sentence is supported"
    OBEDIENT = "it follows an instruction of a document"
    ENDLESS = "it does not come to an end"
    ECHO = "it repeats its instructions"


class Unusable(Exception):
    """An answer that can't be shown; carries none of its text."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.value)
        self.flaw = flaw
