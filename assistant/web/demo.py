"""Two sites of partners to look at: one that may embed the assistant, one that may not.

Owns their pages and the little servers of these, each on a port, and so an origin, of its
own. The assistant itself is served as ever.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from assistant.web.partners import LANGUAGES, read_partners
from assistant.web.partners_edit import add_partner
from assistant.web.snippet import Snippet, snippet

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/style.css">
<h1>{title}</h1>
<p>{about}</p>
<nav><a href="/">Button</a> <a href="/inline">In the page</a> <a href="/frame">Without scripts</a></nav>
{embedded}
</html>
"""  # noqa: E501 - a line of HTML

_STYLE = """body { font: 1.1rem/1.6 Georgia, serif; max-width: 40rem; margin: 2rem auto; padding: 0 1rem; }
nav a { margin-right: 1rem; }
iframe { border: 1px solid #999; max-width: 100%; }
"""  # noqa: E501


class _Site(ThreadingHTTPServer):
    """A partner's site; it has no pages until `pasted` and `assistant` are known."""

    daemon_threads = True

    def __init__(self, port: int, title: str, about: str) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.title = title
        self.about = about
        self.assistant = ""
        self.pasted: Snippet | None = None

    @property
    def origin(self) -> str:
        """As the browser writes it: another host name than the assistant's, so another site."""
        return f"http://localhost:{self.server_port}"

    def page(self, path: str) -> str | None:
        """The page at a path; None where there is none."""
        if self.pasted is None:
            return None
        embedded = {
            "/": self.pasted.pinned,
            "/inline": self.pasted.following.replace(
                "<rapporteur-chat ", '<rapporteur-chat mode="inline" '
            ),
            "/frame": self.pasted.frame,
        }.get(path)
        if embedded is None:
            return None
        return _PAGE.format(title=self.title, about=self.about, embedded=embedded)


class _Handler(BaseHTTPRequestHandler):
    server: _Site

    def do_GET(self) -> None:
        """A page, the style sheet, or nothing."""
        path = self.path.partition("?")[0]
        kind, text = "text/html", self.server.page(path)
        if path == "/style.css":
            kind, text = "text/css", _STYLE
        body = (text or "Not found").encode("utf-8")
        self.send_response(200 if text else 404)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        # As strict as a partner's policy can be: the script and the frame, and nothing else.
        host = self.server.assistant
        self.send_header(
            "Content-Security-Policy",
            f"default-src 'none'; script-src {host}; frame-src {host}; style-src 'self'; "
            "img-src data:; require-trusted-types-for 'script'; trusted-types 'none'",
        )
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@contextmanager
def demo_sites(
    file: Path, ports: tuple[int, int] = (0, 0)
) -> Iterator[Callable[[str], tuple[str, str]]]:
    """Two sites on `ports` (0: free ones), and `file` written to allow the first of them.

    Gives what to call with the assistant's address, as soon as that is known: it answers
    with the addresses of the site that is allowed and of the other. The sites end with the
    block. Raises `OSError` when a port is taken.
    """
    sites = [
        _Site(ports[0], "A partner's site", "This site is on the list: ask it something."),
        _Site(ports[1], "Another site", "This site isn't on the list, and is shown nothing."),
    ]
    partner_id = add_partner(file, "Demo", [sites[0].origin], languages=LANGUAGES).id

    def opened(address: str) -> tuple[str, str]:
        partner = read_partners(file)[partner_id]
        for site in sites:
            site.assistant = address.rstrip("/")
            site.pasted = snippet(partner, site.assistant)
            threading.Thread(target=site.serve_forever, daemon=True).start()
        return f"{sites[0].origin}/", f"{sites[1].origin}/"

    try:
        yield opened
    finally:
        for site in sites:
            if site.pasted is not None:
                site.shutdown()
            site.server_close()
