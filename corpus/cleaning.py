"""Raw bytes → clean characters: decoding, normal form, and the characters no reader can see.

Owns which encodings are tried, what counts as an invisible character and how white space is
made plain. Knows nothing of headings, lists, formats or files.
"""

import re
import unicodedata
from dataclasses import dataclass

from charset_normalizer import from_bytes

from corpus.documents import HIDDEN_TEXT, Notice

_BOMS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_SAMPLE = 20_000
"""Bytes looked at to recognise an encoding that nothing declares."""

_LINE_ENDS = re.compile(r"\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_HIDDEN_WRITING = re.compile("[\U000e0000-\U000e01ef\u202d\u202e]")
# Controls, soft hyphens, zero-width and direction characters, tags, surrogates, non-characters.
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
# Joiners are part of the spelling in scripts from Hebrew on and in emoji, and invisible elsewhere.
_STRAY_JOINERS = re.compile("(?<![\u0590-\u1fff\u2600-\uffef\U0001f000-\U0001ffff])[\u200c\u200d]")
_SPACES = re.compile(r"[^\S\n]+")


class NotText(ValueError):
    """The bytes are not text in any encoding that we read."""


@dataclass(frozen=True, kw_only=True)
class Cleaned:
    """Text with `\\n` line ends and no unseen character, and what was found in cleaning it."""

    text: str
    notices: tuple[Notice, ...] = ()


def decode(data: bytes) -> str:
    """The text that `data` spells; raises `NotText` for binary data.

    Tried in order: a byte-order mark; UTF-8; UTF-16 without a mark (every other byte of Latin
    text is NUL); UTF-8 with a few damaged bytes, which are dropped; Windows-1252 (a superset of
    Latin-1) while the result looks like words; last, what charset-normalizer makes of it.
    """
    for mark, name in _BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(name, "ignore")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return _decode_undeclared(data)
    if "\0" in text[:_SAMPLE]:
        return _decode_undeclared(data)
    return text


def _decode_undeclared(data: bytes) -> str:
    sample = data[:_SAMPLE]
    if b"\0" in sample:
        return _decode_with_nulls(data)
    repaired = data.decode("utf-8", "replace")
    damage = repaired.count("\ufffd")
    sound = sum(1 for character in repaired if character > "\x7f") - damage
    if sound > 0 and damage * 200 <= len(repaired):
        return data.decode("utf-8", "ignore")
    western = data.decode("cp1252", "ignore")
    if _looks_western(western[:_SAMPLE]):
        return western
    best = from_bytes(sample).best()
    if best is None:
        raise NotText("no known encoding")
    return data.decode(best.encoding, "ignore")


def _decode_with_nulls(data: bytes) -> str:
    sample = data[:_SAMPLE]
    half = max(1, len(sample) // 2)
    even, odd = sample[0::2].count(0) / half, sample[1::2].count(0) / half
    if odd > 0.4 and even < 0.05:
        return data.decode("utf-16-le", "ignore")
    if even > 0.4 and odd < 0.05:
        return data.decode("utf-16-be", "ignore")
    if sample.count(0) * 100 <= len(sample):  # a few stray NULs inside text
        return decode(data.replace(b"\0", b""))
    raise NotText("binary data")


def _looks_western(text: str) -> bool:
    """Whether Windows-1252 gives words: few controls, and foreign letters stand inside words."""
    high = [character for character in text if character > "\x7f"]
    controls = sum(1 for character in text if character < " " and character not in "\t\n\r\f\x1a")
    if controls * 100 > len(text) or len(high) * 4 > len(text):
        return False
    letters = sum(1 for character in high if character.isalpha() or character in "’‘“”–—«»°§€…\xa0")
    return letters * 10 >= len(high) * 8


def clean(text: str) -> Cleaned:
    """`text` in NFC with `\\n` line ends, without characters that a reader can't see.

    Writing hidden in tag characters or under forced text direction is reported as a notice of
    kind `hidden-text`; ordinary leftovers (soft hyphens, zero-width spaces) go silently.
    """
    hidden = len(_HIDDEN_WRITING.findall(text))
    text = _LINE_ENDS.sub("\n", text)
    text = _STRAY_JOINERS.sub("", _UNSEEN.sub("", text))
    notices = (hidden_text_notice(),) if hidden else ()
    return Cleaned(text=unicodedata.normalize("NFC", text), notices=notices)


def hidden_text_notice() -> Notice:
    """The notice of a source in which text was hidden from its readers."""
    return Notice(
        kind=HIDDEN_TEXT, text="The source contained text hidden from readers; it was removed."
    )


def one_line(text: str) -> str:
    """`text` as one line: every run of white space, no-break spaces included, is one space."""
    return " ".join(text.split())
