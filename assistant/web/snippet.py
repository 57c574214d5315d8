"""The lines of HTML that a partner pastes into its pages.

Owns their text. Where the files are served, and as what, is in `embed_files`.
"""

import base64
import hashlib
from dataclasses import dataclass
from html import escape
from pathlib import Path

from assistant.web.embed_files import digest_name
from assistant.web.partners import Partner

_STATIC = Path(__file__).parent / "static"


@dataclass(frozen=True, kw_only=True)
class Snippet:
    """Three ways to embed: `pinned` to one state of the loader, `following` it, `frame` alone.

    `style` colours the button in the page, where a partner has a colour of its own; else empty.
    """

    pinned: str
    following: str
    frame: str
    style: str


def snippet(partner: Partner, address: str, loader: bytes | None = None) -> Snippet:
    """What `partner` pastes to embed the assistant that the public reaches at `address`.

    `loader` are the bytes of the loader, by default those that are served. The browser
    runs the pinned one only if it gets just these bytes (Subresource Integrity, SHA-384).
    """
    body = loader if loader is not None else (_STATIC / "loader.js").read_bytes()
    base = f"{escape(address.rstrip('/'))}/embed/v1"
    frame = f"{base}/frame?site={partner.id}"
    # The link stands there while the element is none: without scripts, or where the loader is
    # refused. An embed that fails is then still a way to the chat, and never just nothing.
    link = f'<a href="{frame}">{escape(partner.title)}</a>'
    element = f'<rapporteur-chat site="{partner.id}">{link}</rapporteur-chat>'
    integrity = base64.b64encode(hashlib.sha384(body).digest()).decode("ascii")
    own_colour = partner.accent != Partner.model_fields["accent"].default
    return Snippet(
        pinned=f'<script src="{base}/{digest_name("loader.js", body)}" '
        f'integrity="sha384-{integrity}" crossorigin="anonymous" defer></script>\n{element}',
        following=f'<script src="{base}/loader.js" defer></script>\n{element}',
        frame=f'<iframe src="{frame}" title="{escape(partner.title)}" '
        'width="400" height="640" allow="clipboard-write" '
        'referrerpolicy="strict-origin" loading="lazy"></iframe>',
        style=f"rapporteur-chat {{ --rapporteur-accent: {partner.accent}; }}" if own_colour else "",
    )
