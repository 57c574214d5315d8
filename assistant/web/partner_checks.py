"""What a partner's origins and colours must be, each rule with its reason and its next step.

Knows nothing of partners or of their file.
"""

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

import wcag_contrast_ratio  # type: ignore[import-untyped]

LIGHT_PAGE = "#ffffff"
DARK_PAGE = "#15181c"
"""Grounds of the widget in its two themes; also the text on a button in the accent colour."""

TINT = 0.09
"""Share of the accent colour in the tinted ground that the markers of the sources stand on,
in the accent colour. The grounds themselves have more contrast to it than this mixture."""

LEAST_CONTRAST = 4.5
"""WCAG 2.2, success criterion 1.4.3, level AA."""

_LOCAL = frozenset({"localhost", "127.0.0.1"})

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_ALL_DIGITS = re.compile(r"[\d.]+")
_COLOUR = re.compile(r"#[0-9a-f]{6}", re.IGNORECASE)

_USUAL_PORTS = {"http": 80, "https": 443}


def checked_origin(origin: str) -> str:
    """`origin` if a browser would write it just so. Raises `ValueError` with what to change."""
    for problem, hint in _origin_problems(origin):
        raise ValueError(f"the origin {origin!r} {problem}; {hint}")
    return origin


def _origin_problems(origin: str) -> Sequence[tuple[str, str]]:
    example = "write it as https://www.example.org"
    if "*" in origin:
        return [("stands for many sites", "list each origin by itself")]
    if not origin.isascii():
        return [("isn't ASCII", f"write its host in punycode: {_ascii_host(origin)}")]
    if origin != origin.lower():
        return [("has capital letters", f"write {origin.lower().rstrip('/')}")]
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return [("can't be understood", example)]
    if _HOST.fullmatch(origin) and "." in origin:
        return [("doesn't begin with https://", f"write https://{origin}")]
    if parts.scheme not in _USUAL_PORTS or not parts.hostname or "@" in parts.netloc:
        return [("isn't a scheme and a host", example)]
    if parts.scheme == "http" and parts.hostname not in _LOCAL:
        return [("isn't encrypted", f"write https://{parts.netloc}")]
    bare = f"{parts.scheme}://{parts.hostname}"
    if port == _USUAL_PORTS[parts.scheme]:
        return [("names the usual port, which browsers leave out", f"write {bare}")]
    whole = bare if port is None else f"{bare}:{port}"
    if _ALL_DIGITS.fullmatch(parts.hostname) and parts.hostname not in _LOCAL:
        return [("is a number, which browsers don't match", "give the site a name")]
    if not _HOST.fullmatch(parts.hostname):
        return [("has no host name that can be used", example)]
    if origin != whole:
        return [("has more than scheme, host and port", f"write {whole}")]
    return []


def _ascii_host(origin: str) -> str:
    host = origin.lower().split("://")[-1].split("/")[0]
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return "xn--…"


def checked_accent(colour: str, page: str) -> str:
    """`colour` in lower case if it can be read on the tinted ground of `page`, and so on `page`.

    Raises `ValueError` with the measured contrast.
    """
    if not _COLOUR.fullmatch(colour):
        raise ValueError(f"the colour {colour!r} isn't written as #1d4f8c")
    ground = _mixed(_rgb(colour), _rgb(page))
    ratio = float(wcag_contrast_ratio.rgb(_rgb(colour), ground))
    if ratio < LEAST_CONTRAST:
        # Cut, not rounded: 4.496 must not be told as 4.50.
        theme, better = ("light", "darker") if page == LIGHT_PAGE else ("dark", "lighter")
        raise ValueError(
            f"the colour {colour} has a contrast of {int(ratio * 100) / 100:.2f} to the ground of "
            f"the {theme} theme with its tint, and needs {LEAST_CONTRAST}; take a {better} one"
        )
    return colour.lower()


_Rgb = tuple[float, float, float]


def _rgb(colour: str) -> _Rgb:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def _mixed(colour: _Rgb, page: _Rgb) -> _Rgb:
    red, green, blue = (
        TINT * one + (1 - TINT) * other for one, other in zip(colour, page, strict=True)
    )
    return red, green, blue
