"""The widget's scripts and styles: read once, packed once, each with a name that never changes.

Owns their addresses and how long they may be kept, and that a page which is pinned to one
state of the loader still gets it when the loader has moved on. Knows nothing of partners.
"""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import Response

NAMES: Mapping[str, str] = {
    "loader.js": "text/javascript",
    "frame.js": "text/javascript",
    "frame.css": "text/css",
}

KEPT = "loaders"
"""The folder of the loaders that partners may have pinned, each under the name with its digest."""

_HOUR = "public, max-age=3600"
_FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, kw_only=True)
class _File:
    body: bytes
    packed: bytes
    media_type: str
    digest: str
    cache: str

    def response(self, asked: Headers) -> Response:
        """The file, packed where the browser takes that; nothing where it has it already."""
        tag = f'"{self.digest}"'
        headers = {
            "Cache-Control": self.cache,
            "ETag": tag,
            "Vary": "Accept-Encoding",
            # Partners' pages load it from here, also those that isolate themselves.
            "Access-Control-Allow-Origin": "*",
            "Cross-Origin-Resource-Policy": "cross-origin",
        }
        if tag in asked.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        body = self.body
        if "gzip" in asked.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            body = self.packed
        return Response(body, media_type=self.media_type, headers=headers)


def _file(body: bytes, media_type: str, cache: str) -> _File:
    return _File(
        body=body,
        packed=gzip.compress(body, mtime=0),
        media_type=media_type,
        digest=hashlib.sha256(body).hexdigest(),
        cache=cache,
    )


def digest_name(name: str, body: bytes) -> str:
    """The name under which exactly these bytes are served for ever, as `loader-1a2b….js`."""
    stem, suffix = name.rsplit(".", 1)
    return f"{stem}-{hashlib.sha256(body).hexdigest()[:12]}.{suffix}"


class EmbedFiles:
    """The widget's files, by their plain names and by those that hold their digest."""

    def __init__(self, folder: Path) -> None:
        """Reads them from `folder`, and from its folder `KEPT` the loaders of other releases."""
        self._files: dict[str, _File] = {}
        self._lasting: dict[str, str] = {}
        for name, media_type in NAMES.items():
            body = (folder / name).read_bytes()
            lasting = digest_name(name, body)
            self._lasting[name] = lasting
            self._files[name] = _file(body, media_type, _HOUR)
            self._files[lasting] = _file(body, media_type, _FOR_EVER)
        for path in sorted((folder / KEPT).glob("loader-*.js")):
            self._files[path.name] = _file(path.read_bytes(), NAMES["loader.js"], _FOR_EVER)

    def response(self, name: str, asked: Headers) -> Response | None:
        """The file `name` for a request with the headers `asked`; None when there is none."""
        file = self._files.get(name)
        return file.response(asked) if file is not None else None

    def lasting(self, name: str) -> str:
        """The name of a file with its digest; `KeyError` for an unknown one."""
        return self._lasting[name]
