"""Rules on what a text declares of itself: its front matter, and the addresses it gives.

Owns which keys there must be and their form. Knows nothing of files, of other documents or of
the text below the front matter.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from urllib.parse import urlsplit

from corpus.wording import Fault

KINDS = ("article", "instrument", "mechanism", "institution", "region", "theme", "case")
UNKNOWN_AUTHOR = "unknown author"
"""A source whose publisher begins so has no symbol and no address to give."""
PLAIN_HTTP = frozenset({"acihl.org", "en.people.cn", "focus.protectionline.org", "www.nzlii.org"})
"""Hosts whose pages are known under http:// and have not been seen under https://."""

_AS_OF = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?")
_ADDRESS = re.compile(r"\bhttps?:[^\s<>\"]*")


def declaration_faults(meta: Mapping[str, object]) -> Iterator[Fault]:
    """What front matter lacks, or has in a wrong form.

    `related` and `differences` are looked at where the other documents are known.
    """
    for key in ("title", "status"):
        if not str(meta.get(key) or "").strip():
            yield _missing(key)
    kind = meta.get("kind")
    if kind not in KINDS:
        yield Fault(
            words="kind:",
            message=f"The front matter's kind is {kind or 'missing'}.",
            hint=f"Write one of: {', '.join(KINDS)}.",
        )
    if not _is_date(str(meta.get("as_of") or "")):
        yield Fault(
            words="as_of:",
            message="The front matter's as_of is no date.",
            hint="Write the date of the newest fact: 2026, 2026-02 or 2026-02-28.",
        )
    yield from _source_faults(meta.get("sources"))


def _source_faults(sources: object) -> Iterator[Fault]:
    if not isinstance(sources, list) or not sources:
        yield _missing("sources")
        return
    for source in sources:
        parts = source if isinstance(source, Mapping) else {}
        publisher = str(parts.get("publisher") or "").strip()
        named = publisher.startswith(UNKNOWN_AUTHOR) or parts.get("symbol") or parts.get("address")
        if not publisher or not named:
            yield Fault(
                words=publisher or "sources:",
                message=f"A source lacks its publisher, or a symbol or address: {source}",
                hint="Give `publisher`, and `symbol` (or a title) or `address`.",
            )
        address = str(parts.get("address") or "")
        if address and not _is_address(address):
            yield _bad_address(address)


def _missing(key: str) -> Fault:
    return Fault(words=f"{key}:", message=f"The front matter has no {key}.", hint="Add it.")


def _is_date(words: str) -> bool:
    match = _AS_OF.fullmatch(words)
    try:
        return bool(match and date(int(match[1]), int(match[2] or 1), int(match[3] or 1)))
    except ValueError:
        return False


def _is_address(address: str) -> bool:
    """Whether it is https (but for `PLAIN_HTTP`), has no space, and its host has a dot inside."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return False
    secure = parts.scheme == "https" or (parts.scheme == "http" and host in PLAIN_HTTP)
    sound = secure and not re.search(r"\s", address)
    return sound and bool(re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", host))


def _bad_address(address: str) -> Fault:
    return Fault(
        words=address,
        message=f"{address} is no sound address.",
        hint="Write it as https://host.example/path, without spaces.",
    )


def address_faults(lines: Iterable[str]) -> Iterator[Fault]:
    """Addresses in written lines; a sentence's full stop or bracket is none of theirs."""
    for line in lines:
        for match in _ADDRESS.finditer(line):
            address = match.group().rstrip(".,;:)")
            if not _is_address(address):
                yield _bad_address(address)
