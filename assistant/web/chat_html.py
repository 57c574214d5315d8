"""The chat page's HTML without what the policy forbids anyway or what names other hosts.

Gradio's page carries inline scripts (it then fetches its configuration instead), a
manifest that is not there and preview tags that point to its maker. Owns their removal,
and what is put into the page's head instead.
"""

import re

HEAD = (
    '<link rel="icon" href="/static/favicon.svg" type="image/svg+xml">'
    '<link rel="stylesheet" href="/static/chat.css">'
    '<script src="/static/cite.js" defer></script>'
)

_INLINE_SCRIPT = re.compile(rb"<script(?![^>]*\ssrc=)[^>]*>.*?</script>", re.DOTALL)
_PREVIEW = re.compile(rb"<meta\s+(?:property=\"og:|name=\"twitter:)[^>]*>")
_MANIFEST = re.compile(rb"<link\s+rel=\"manifest\"[^>]*>")
_BODY = re.compile(rb"(<body[^>]*>)")

_NOSCRIPT = (
    b"<noscript><p>The chat needs JavaScript. "
    b'The <a href="/documents">library</a> can be read without.</p></noscript>'
)


def cleaned(page: bytes) -> bytes:
    """The page without inline scripts, manifest and preview tags."""
    for pattern in (_INLINE_SCRIPT, _PREVIEW, _MANIFEST):
        page = pattern.sub(b"", page)
    return _BODY.sub(rb"\1" + _NOSCRIPT, page, count=1)
