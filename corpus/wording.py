"""Rules on the words of a text: length, sentences, dates of counts, nothing said twice or copied.

Owns the limits and how each is measured. Looks at documents and passages only, so sources and
related documents are left out; knows nothing of files, lines or front matter.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from corpus.documents import Document, Passage, Sentence
from corpus.splitting import is_reference_section

FEWEST_WORDS, MOST_WORDS = 450, 1100
LONGEST_SENTENCE = 40
"""Words; an item of a list counts as a sentence."""
LONGEST_MEAN = 25
LOWEST_EASE = 25
"""Flesch calls what lies below 30 "very difficult"; here the names of treaties and bodies alone,
each repeated so that a sentence can stand by itself, cost a text up to nine points."""
SHORTEST_SHARED = 6
"""Words; shorter sentences ("Africa: 13 seats") may stand in two documents."""
LONGEST_RUN = 8
"""So many words in a row that also stand in a foreign text are taken for copied."""

OFFICIAL_NAMES = (
    "International Covenant on Civil and Political Rights",
    "International Covenant on Economic, Social and Cultural Rights",
    "Convention on the Elimination of All Forms of Discrimination against Women",
    "International Convention on the Elimination of All Forms of Racial Discrimination",
    "Office of the High Commissioner for Human Rights",
    "Office of the United Nations High Commissioner for Human Rights",
)
"""Names that can only be written in one way: each counts as one word of a run."""

Read = tuple[Document, tuple[Passage, ...]]

_WORD = re.compile(r"[^\W_]+(?:[-'’.,][^\W_]+)*")
_LETTERS = re.compile(r"[^\W\d_]+")
_VOWELS = re.compile(r"[aeiouy]+")
# The e of "state", "named" and "rules" is not spoken, that of "people", "created", "houses" is.
_SILENT = re.compile(r"(?:(?<![^aeiouy]l)(?<=[^aeiouy])e|[^aeiouytd]ed|[^aeiouysxzcgh]es)$")
_SPOKEN_LES = re.compile(r"[^aeiouy]les$")

_NUMBER = (
    r"(?<![\w/.,-])(?!(?:1[89]|20)\d\d\b)(?:\d[\d,]*(?:\.\d+)?(?:\ (?:thousand|million|billion))?"
    r"|ten|eleven|twelve|\w+teen|(?:twen|thir|for|fif|six|seven|eigh|nine)ty(?:-\w+)?"
    r"|hundreds|thousands|millions)"
)
_CHANGING = (
    r"(?:states?\ )?parties|signatories|members|accessions"
    r"|states|governments|countries|supporters|donors"
    r"|(?:pending\ |open\ )?(?:cases|situations|complaints|applications|communications)|judgments"
    r"|NGOs|NHRIs|organizations|institutions|mandates|people|persons|refugees|defenders"
    r"|journalists|killed|victims|staff|posts|employees|offices|pledges|translations|entities"
    r"|recommendations|submissions|(?:US\ )?dollars|euros?|per\ cent"
)
_COUNT = re.compile(rf"(?ix) {_NUMBER} (?:\ (?!different)[\w'’-]+){{0,3}}? \ (?:{_CHANGING}) \b")
# "Article 72 of", "resolutions 60/251 and 5/1", "item 6": a number that counts nothing.
_REFERENCE = re.compile(
    r"(?i)\b(?:articles?|resolutions?|decisions?|paragraphs?|items?|rules?|goals?|targets?|phase"
    r"|sections?|protocols?|chapters?|parts?|regulations?|directives?|laws?|recommendations?)"
    r" \d[\w/.()]*(?:(?:,| and| or| to|–) ?\d[\w/.()]*)*"
)
_DATE = re.compile(r"\b(?:1[89]|20)\d\ds?\b|\bundated\b")
# The size of these is set by their founding texts, as is a sum or share by a law.
_FIXED_BODY = re.compile(
    r"(?i)\b(?:council\b(?! of europe)|(?:sub)?committee|commission|working groups?"
    r"|treaty bod(?:y|ies)|SPT|IACHR)\b"
)
_FIXED_SUM = re.compile(r"(?i)\b(?:fines?|turnover|up to|fraud)\b")
# "needs 60 ratifications", "once the treaty had 41 parties": a condition or a moment.
_CONDITION = re.compile(
    r"(?i)\b(?:when|once|until|reache[sd]|requires?|needs?|necessary)\b[^,;:]*$"
)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something to mend at `words`, which stand in the text (empty: the text as a whole)."""

    words: str
    message: str
    hint: str


def faults(document: Document, passages: Sequence[Passage]) -> Iterator[Fault]:
    """What is wrong with the wording of one document, taken by itself."""
    sentences = [words for _, words in _sentences(passages)]
    yield from _wrong_length(document)
    yield from _long_sentences(sentences)
    ease = reading_ease(sentences)
    if ease < LOWEST_EASE:
        yield Fault(
            words="",
            message=f"The reading ease is {ease:.1f}, below {LOWEST_EASE}.",
            hint="Write shorter sentences and plainer words.",
        )
    yield from _undated_counts(passages)


def shared_sentences(texts: Sequence[Read], foreign: Sequence[Read]) -> Iterator[tuple[str, Fault]]:
    """Each sentence that another document, or a foreign text, has too; with the document's id."""
    first: dict[tuple[str, ...], Document] = {}
    for document, passages in (*foreign, *texts):
        for _, words in _sentences(passages):
            plain = tuple(_plain_words(words))
            earlier = first.setdefault(plain, document)
            if earlier is document or len(plain) < SHORTEST_SHARED:
                continue
            yield (
                document.id,
                Fault(
                    words=words,
                    message=f"A sentence stands in {earlier.path} too: “{words}”",
                    hint="Say it in other words, or in one of the two only.",
                ),
            )


def copied_runs(texts: Sequence[Read], foreign: Sequence[Read]) -> Iterator[tuple[str, Fault]]:
    """Each run of words that a foreign text has too, at its longest; with the document's id.

    The `OFFICIAL_NAMES` count as one word.
    """
    theirs: dict[tuple[str, ...], str] = {}
    for document, passages in foreign:
        for passage in passages:
            for run in _runs(_plain_words(passage.text)):
                theirs.setdefault(run, document.path)
    for document, passages in texts:
        for passage in passages:
            words = _plain_words(passage.text)
            reached = 0
            for place, run in enumerate(_runs(words)):
                if run not in theirs or place < reached:
                    continue
                reached = place + LONGEST_RUN
                while tuple(words[reached - LONGEST_RUN + 1 : reached + 1]) in theirs:
                    reached += 1
                copied = " ".join(words[place:reached])
                yield (
                    document.id,
                    Fault(
                        words=_sentence_of(passage, copied),
                        message=f"Words are copied from {theirs[run]}: “{copied}”.",
                        hint="Say it in other words.",
                    ),
                )


def reading_ease(sentences: Sequence[str]) -> float:
    """Flesch's reading ease: 206.835 - 1.015 words per sentence - 84.6 syllables per word.

    From R. Flesch, "A new readability yardstick", Journal of Applied Psychology 32 (1948).
    Higher is easier; plain English lies at 60 to 70, this library's subject nearer 50.
    Only letters are read: "non-governmental" is two words, "48/141" none.
    """
    words = [word for text in sentences for word in _LETTERS.findall(text)]
    if not words:
        return 100.0
    spoken = sum(syllables(word) for word in words)
    return 206.835 - 1.015 * len(words) / len(sentences) - 84.6 * spoken / len(words)


def syllables(word: str) -> int:
    """How many syllables an English word has, by its groups of vowels and silent endings.

    Right for 96 of 100 words of the shipped texts and 1 % low in all, by the CMU Pronouncing
    Dictionary.
    """
    lower = word.lower()
    found = len(_VOWELS.findall(lower))
    if found > 1 and _SILENT.search(lower) and not _SPOKEN_LES.search(lower):
        found -= 1
    return max(1, found)


def _sentences(passages: Sequence[Passage]) -> Iterator[tuple[Sentence, str]]:
    for passage in passages:
        for sentence in passage.sentences:
            yield sentence, passage.sentence_text(sentence)


def _wrong_length(document: Document) -> Iterator[Fault]:
    count = 0
    for section in document.sections:
        if not is_reference_section(section):
            blocks = " ".join(document.text[block.start : block.end] for block in section.blocks)
            count += len(_WORD.findall(f"{section.heading} {blocks}"))
    if not FEWEST_WORDS <= count <= MOST_WORDS:
        yield Fault(
            words="",
            message=f"The text has {count} words, not {FEWEST_WORDS} to {MOST_WORDS}.",
            hint="Add what is missing." if count < FEWEST_WORDS else "Cut it, or make it two.",
        )


def _long_sentences(sentences: Sequence[str]) -> Iterator[Fault]:
    lengths = [len(_WORD.findall(text)) for text in sentences]
    for text, length in zip(sentences, lengths, strict=True):
        if length > LONGEST_SENTENCE:
            yield Fault(
                words=text,
                message=f"A sentence has {length} words: “{text}”",
                hint=f"Make two of it: {LONGEST_SENTENCE} words are the most.",
            )
    mean = sum(lengths) / max(1, len(lengths))
    if mean > LONGEST_MEAN:
        yield Fault(
            words="",
            message=f"Sentences have {mean:.1f} words on average, more than {LONGEST_MEAN}.",
            hint="Write shorter sentences.",
        )


def _undated_counts(passages: Sequence[Passage]) -> Iterator[Fault]:
    """Counts that change and have no date, in their sentence or the one before it.

    The sentence before an item is what leads into its list; a section starts afresh.
    """
    for _, section in groupby(passages, key=lambda passage: passage.heading):
        before = ""
        for sentence, words in _sentences(tuple(section)):
            found = changing_count(words)
            if found and not _DATE.search(words) and not _DATE.search(before):
                yield Fault(
                    words=words,
                    message=f"“{found}” has no date: “{words}”",
                    hint="Say as of when, in the sentence or the one before it.",
                )
            if not sentence.is_item:
                before = words


def changing_count(sentence: str) -> str:
    """The first count in a sentence that changes with time, as it stands there; or nothing.

    Numbers from ten on are looked at, spelled or in figures, before the names of what changes
    (parties, members, cases, people, money, …). What a text has fixed is no such count: the size
    of a committee, a fine, a condition.
    """
    plain = _REFERENCE.sub("", sentence)
    for match in _COUNT.finditer(plain):
        words = match.group()
        fixed = (
            (words.endswith(("members", "states")) and _FIXED_BODY.search(plain))
            or (words.endswith(("euro", "euros", "dollars", "cent")) and _FIXED_SUM.search(plain))
            or _CONDITION.search(plain[: match.start()])
            or plain.startswith(" when ", match.end())
        )
        if not fixed:
            return words
    return ""


def _plain_words(text: str) -> list[str]:
    """The words in lower case, each official name as one."""
    plain = " ".join(_WORD.findall(text.casefold().replace("’", "'")))
    for name, one_word in _NAMES:
        plain = plain.replace(name, one_word)
    return plain.split()


_NAMES = [
    (name, name.replace(" ", "_"))
    for name in (" ".join(_WORD.findall(official.casefold())) for official in OFFICIAL_NAMES)
]


def _runs(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for place in range(len(words) - LONGEST_RUN + 1):
        yield tuple(words[place : place + LONGEST_RUN])


def _sentence_of(passage: Passage, copied: str) -> str:
    """The sentence in which a run begins."""
    opening = copied.split()[:3]
    for _, words in _sentences((passage,)):
        plain = _plain_words(words)
        if any(plain[place : place + 3] == opening for place in range(len(plain))):
            return words
    return ""
