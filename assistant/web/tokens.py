"""The tokens of the widget: what one holds, who may have made it, how long it lasts.

A token says on which site, on which page's origin and in which conversation a frame was
opened. It is signed, not encrypted, and holds nothing about a person. Knows nothing of
partners or of HTTP.
"""

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from itsdangerous import BadData, URLSafeSerializer

LIFETIME = 900
"""Seconds that a token lasts."""

_LONGEST = 2048
"""Characters; no token of ours comes near."""

# A change of what a token holds changes this, and with it every signature.
_PURPOSE = "rapporteur.widget.1"


class TokenInvalid(Exception):
    """Not a token of ours: no token at all, altered, cut short, or signed by another key."""


class TokenExpired(Exception):
    """A token of ours whose time is over; a new one can be asked for."""


@dataclass(frozen=True, kw_only=True)
class Claims:
    """What a token says: partner's id, origin of the partner's page, conversation, last second.

    `origin` is empty where the page around the frame is not known. `expires` is in seconds
    since 1970.
    """

    site: str
    origin: str
    conversation: str
    expires: int


class Tokens:
    """Makes and reads tokens with the keys it was given."""

    def __init__(
        self,
        keys: Sequence[str] = (),
        lifetime: int = LIFETIME,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """The first of `keys` signs, all of them are read; none takes a random one.

        With a random key, tokens end with the process. `lifetime` is in seconds; `clock`
        gives seconds since 1970.
        """
        newest_last = list(reversed(keys)) or [secrets.token_hex(32)]
        self._serializer = URLSafeSerializer(
            newest_last,
            salt=_PURPOSE,
            signer_kwargs={"key_derivation": "hmac", "digest_method": sha256},
        )
        self._lifetime = lifetime
        self._clock = clock

    def issue(self, site: str, origin: str, conversation: str = "") -> str:
        """A token for a frame of `site` on a page of `origin`, fit for a header.

        Without a `conversation` it begins a new one.
        """
        expires = int(self._clock()) + self._lifetime
        named = conversation or secrets.token_urlsafe(12)
        return str(self._serializer.dumps([site, origin, named, expires]))

    def read(self, token: str, *, expired_by: int = 0) -> Claims:
        """What a token says, also up to `expired_by` seconds after its time.

        Signatures are compared in constant time. Raises `TokenInvalid`, or `TokenExpired`
        for one that would be valid earlier.
        """
        if len(token) > _LONGEST or not token.isascii():
            raise TokenInvalid
        try:
            said = self._serializer.loads(token)
        except BadData:
            raise TokenInvalid from None
        match said:
            case [str(site), str(origin), str(conversation), int(expires)]:
                claims = Claims(
                    site=site, origin=origin, conversation=conversation, expires=expires
                )
            case _:
                raise TokenInvalid
        if self._clock() > claims.expires + expired_by:
            raise TokenExpired
        return claims
