"""Every fixed sentence of the assistant's own: small talk, refusals, notices.

Owns their wording, and which messages are small talk. None of them states a fact
about the library's subject: those come from quotations alone.
"""

import re
from collections import Counter
from collections.abc import Sequence

from assistant.flaws import Flaw
from assistant.judging import Judgement, Shortfall
from assistant.model_limits import ModelFault
from corpus.documents import Document

_GREETING = re.compile(
    r"^(hi|hello|hey|good (morning|afternoon|evening|day)|greetings|bonjour|salut|hola|buen[oa]s "
    r"\w+|dear \w+)( there| again| all| everyone)?[\s!.,]*(how are you( today)?)?[\s!.?]*$",
    re.I,
)
_THANKS = re.compile(
    r"^(many |ok,? |great,? )?(thanks?|thank you|merci|gracias|cheers|bye|goodbye|see you|ok|okay|"
    r"great|perfect|nice)( (you|so|very|a|lot|much|for|your|the|help|again|beaucoup|that|this|"
    r"later|answer))*[\s!.]*$",
    re.I,
)
_ABILITY = re.compile(
    r"^(so,? |and )?(what|how) (can|do|could|will) (you|i|we) (do|help|know|work|answer|offer|ask|"
    r"use|tell me)( (for|with|to|about|here|you|me|us|this|that))*[\s?.!]*$"
    r"|^(who|what) are you[\s?.!]*$|^help( me)?[\s?.!]*$|^how does (this|it) work[\s?.!]*$"
    r"|^what (is|'s) (this|in (the|your) library)[\s?.!]*$|^(que (peux|pouvez)|qui \w+)-"
    r"(tu|vous)( faire)?[\s?.!]*$|^(qué|que) puedes hacer[\s?.!]*$",
    re.I,
)

AI_ONLY = (
    "Every source of this answer declares itself AI-generated: check it against official sources "
    "before you rely on it."
)
UNSURE = (
    "None of these sentences uses the question's own words. Read them in their context before you "
    "quote them."
)
FAR = (
    "The passages that this answer rests on are not near to the question. Read the quotations in "
    "their context before you rely on it."
)
FIGURES_ONLY = (
    "This answer is not in the language of its documents. Figures and dates were compared with the "
    "quoted passages; whether the sentences mean the same was not checked."
)
_INSTEAD = "This answer is made of exact quotations instead."
_FAULTS = {
    ModelFault.UNREACHABLE: "The chat model could not be reached.",
    ModelFault.KEY_REFUSED: "The chat model refused this server's access.",
    ModelFault.NO_SUCH_MODEL: "The chat model that is set does not exist there.",
    ModelFault.BUSY: "The chat model is too busy.",
    ModelFault.ERROR: "The chat model's server reported an error.",
    ModelFault.BROKEN: "The chat model's answer broke off or could not be read.",
    ModelFault.SLOW: "The chat model took too long.",
    ModelFault.EMPTY: "The chat model gave an empty answer.",
    ModelFault.TOO_LONG: "The chat model's answer was too long.",
    ModelFault.NO_ROOM: "The passages and the question are too long for the chat model.",
    ModelFault.DECLINED: "The chat model declined to answer.",
    ModelFault.SPENT: "The chat model rests: too many answers or failures in the last minute.",
}
_FLAWS = {
    Flaw.NO_ANSWER: "The chat model found no answer in the passages.",
    Flaw.DECLINED: "The chat model declined to answer.",
    Flaw.UNMARKED: "The chat model gave no sources.",
    Flaw.UNPROVED: "No sentence of the chat model's answer was supported by its sources.",
    Flaw.OBEDIENT: "The chat model followed an instruction found in a document.",
    Flaw.ENDLESS: "The chat model's answer was too long.",
    Flaw.ECHO: "The chat model repeated its instructions instead of answering.",
}


def model_failed(fault: ModelFault) -> str:
    """The notice of an answer that a chat model should have written and could not."""
    return f"{_FAULTS[fault]} {_INSTEAD}"


def answer_dropped(flaw: Flaw) -> str:
    """The notice of an answer in place of one that can't be shown."""
    return f"{_FLAWS[flaw]} {_INSTEAD}"


def left_out(count: int) -> str:
    """The notice that sentences of an answer are missing."""
    if count == 1:
        return "One sentence was left out: the passage it named does not support it."
    return f"{count} sentences were left out: the passages they named do not support them."


def small_talk(text: str) -> str:
    """Which small talk a message is: `greeting`, `thanks`, `ability`, or empty for a question."""
    if _GREETING.match(text):
        return "greeting"
    if _ABILITY.match(text):
        return "ability"
    return "thanks" if _THANKS.match(text) else ""


def small_talk_reply(which: str, documents: Sequence[Document]) -> str:
    """The fixed answer to small talk, with the documents that may be asked about."""
    if which == "thanks":
        return "You are welcome. Ask another question whenever you like."
    opening = "Hello. " if which == "greeting" else ""
    return (
        f"{opening}I answer questions in exact quotations from the library, each with its source, "
        f"and say so when the library holds no answer. {holdings(documents)}"
    )


def holdings(documents: Sequence[Document]) -> str:
    """One or two sentences on what the library holds."""
    kinds = Counter(document.kind for document in documents)
    counts = ", ".join(f"{count} {_plural(kind, count)}" for kind, count in kinds.most_common())
    titles = "; ".join(f"“{document.title}”" for document in documents[:5])
    more = " and others" if len(documents) > 5 else ""
    return f"The library holds {counts}: {titles}{more}."


def _plural(kind: str, count: int) -> str:
    return kind if count == 1 else f"{kind}s" if not kind.endswith("s") else kind


def read_as(written: str, word: str) -> str:
    """The notice that a word was taken for a misspelling."""
    return f"“{written}” was read as “{word}”."


def refusal(judgements: list[Judgement], instructed: bool) -> str:
    """Why nothing is answered, in one or two sentences."""
    if instructed:
        return (
            "I only answer questions, and only from the documents in the library. "
            "There is no question about them here."
        )
    first = judgements[0] if judgements else None
    if first is None or first.shortfall is Shortfall.NOTHING:
        return "The documents in the library don't say anything about this."
    return f"The documents in the library don't answer this. {_reason(first)}"


def part_refused(judgement: Judgement) -> str:
    """The notice for one part of a question that stays without an answer."""
    return (
        f"The library does not answer this part: “{judgement.found.part.text}” {_reason(judgement)}"
    )


def _reason(judgement: Judgement) -> str:
    if judgement.shortfall is Shortfall.NAME:
        return f"No passage near the question names “{judgement.missing}”."
    if judgement.shortfall is Shortfall.EXPECTED:
        return f"No passage near the question gives the {judgement.missing} it asks for."
    if judgement.shortfall is Shortfall.ANSWER:
        return "Passages are about it, but no sentence of them says what it asks for."
    return "No passage is near enough to it."
