"""Questions in another language → words that an English library can be searched by.

Owns how a language is recognised and the small glossary behind it. The answer's
quotations stay in the language of their documents. Knows nothing of the index.
"""

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib import resources

# Function words that tell the languages apart; shared ones ("a", "me", "on") are left out.
_FUNCTION_WORDS = {
    "en": "the of and is are what which how who does did in to for by with from was were that do",
    "fr": "le la les des du est sont quel quelle quels quelles que qui quoi comment pourquoi quand"
    " combien où dans pour avec sur une et qu'est-ce ce cette leur leurs aux peut peuvent a-t-il",
    "es": "el la los las del es son qué quién quiénes cuál cuáles cómo cuándo cuánto cuántos dónde"
    " por para con una y en que se su sus puede pueden está están hay",
    "de": "der die das ist sind was wer wie wann wo welche welcher und nicht für mit von zu eine",
    "it": "il lo gli è sono che cosa chi come quando dove quale quali per con una e della dei",
    "pt": "o os as é são que quem como quando onde qual quais para com uma e do da dos das não",
}
_WORDS = {language: frozenset(words.split()) for language, words in _FUNCTION_WORDS.items()}
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")

_READ_AS = {
    "fr": "The question was read from French by a small glossary. Quotations stay in the language "
    "of their documents.",
    "es": "The question was read from Spanish by a small glossary. Quotations stay in the language "
    "of their documents.",
}
_UNREAD = "I read questions in English, and simple ones in French and Spanish. "
_REFUSAL = {
    "fr": "Les documents de la bibliothèque ne répondent pas à cette question, ou elle n'a pas été "
    "comprise : essayez en anglais.",
    "es": "Los documentos de la biblioteca no responden a esta pregunta, o no se ha entendido: "
    "pruebe en inglés.",
}


@dataclass(frozen=True, kw_only=True)
class English:
    """A question in English words, with what to tell the asker about how it was read."""

    text: str
    language: str = "en"
    notices: tuple[str, ...] = ()
    refusal: str = ""


def in_english(question: str) -> English:
    """`question` as English words: unchanged when it is English or too short to tell.

    French and Spanish go through the glossary; other languages stay as they are, with
    a notice.
    """
    language = language_of(question)
    if language == "en":
        return English(text=question)
    if language not in _READ_AS:
        return English(text=question, language=language, notices=(_UNREAD.strip(),))
    return English(
        text=_translated(question, language),
        language=language,
        notices=(_READ_AS[language],),
        refusal=_REFUSAL[language],
    )


def refusal_in(language: str) -> str:
    """How a refusal opens for who asked in `language`; empty where there is no such sentence."""
    return _REFUSAL.get(language, "")


def language_of(text: str) -> str:
    """The language of a question by its function words; English where they don't tell.

    Scripts other than Latin are told apart by name only: `other`.
    """
    letters = [char for char in text if char.isalpha()]
    if letters and sum("LATIN" in unicodedata.name(c, "") for c in letters) < len(letters) / 2:
        return "other"
    counts = _counts(text)
    if "¿" in text or "ñ" in text:
        counts["es"] += 2
    best = max(counts, key=lambda name: (counts[name], name == "en"))
    return best if counts[best] >= 2 and counts[best] > counts["en"] else "en"


def is_english(text: str) -> bool:
    """Whether a sentence is English for sure: it has English function words, and most of them."""
    counts = _counts(text)
    return language_of(text) == "en" and 0 < counts["en"] == max(counts.values())


def _counts(text: str) -> dict[str, int]:
    """For each language, how many of its function words the text holds."""
    words = [word.lower().replace("’", "'") for word in _WORD.findall(text)]
    pieces = words + [piece for word in words for piece in word.split("'") if "'" in word]
    return {name: sum(word in known for word in pieces) for name, known in _WORDS.items()}


def _translated(question: str, language: str) -> str:
    """The question word for word: the longest known phrases first, unknown words kept.

    Unknown words are often the same in English but for an accent ("coopération").
    """
    text = f" {_plain(question)} "
    for pattern, english in _glossary(language):
        text = pattern.sub(f" {english} ", text)
    return " ".join(text.split())


@cache
def _glossary(language: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    with resources.files("assistant").joinpath("glossary.toml").open("rb") as stream:
        pairs = tomllib.load(stream)[language]
    ordered = sorted(pairs.items(), key=lambda pair: -len(pair[0]))
    return tuple(
        (re.compile(rf"(?<!\w){re.escape(_plain(phrase))}(?!\w)"), english)
        for phrase, english in ordered
    )


def _plain(text: str) -> str:
    """Lower case without accents, straight apostrophes, no inverted marks."""
    bare = unicodedata.normalize("NFKD", text.lower().replace("’", "'"))
    kept = "".join(char for char in bare if not unicodedata.combining(char))
    return kept.replace("¿", " ").replace("¡", " ")
