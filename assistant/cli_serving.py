"""The commands that serve: the chat for people, the tools for agents.

Options in, the parts put together, served until stopped. Decides nothing about what is
served.
"""

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.cli_options import Host, Index, Library, Port, screen
from assistant.settings import Settings, load_settings

if TYPE_CHECKING:
    from assistant.chain import Assistant


def chat(
    library: Library = None,
    index: Index = None,
    host: Host = None,
    port: Port = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the chat in a browser.")
    ] = True,
) -> None:
    """Serve the chat; the index is brought up to date first."""
    settings = load_settings(library=library, index=index, host=host, port=port)
    assistant = _ready(settings)
    from assistant.web.server import create_app, serve

    def listening(address: str) -> None:
        screen().line(f"Rapporteur listens on {address} (Ctrl-C stops it).", "bold")
        if browser and _has_display():
            typer.launch(address)

    serve(create_app(assistant, settings), settings.host, settings.port, listening)


def mcp(
    http: Annotated[
        bool,
        typer.Option("--http", help="Serve over HTTP, at /mcp, and not over standard streams."),
    ] = False,
    library: Library = None,
    index: Index = None,
    host: Host = None,
    port: Port = None,
) -> None:
    """Serve agents (Model Context Protocol); the index is brought up to date first.

    Over standard input and output, for a program that starts this command itself. With
    `--http` it is the server of `rapporteur chat`, of which the agents use `/mcp`.
    """
    settings = load_settings(library=library, index=index, host=host, port=port)
    assistant = _ready(settings)
    if not http:
        from assistant.web.agents import serve_streams

        serve_streams(assistant, settings.public_url)
        return
    from assistant.web.server import create_app, serve

    def listening(address: str) -> None:
        screen().line(f"Agents are served at {address}mcp (Ctrl-C stops it).", "bold")

    serve(create_app(assistant, settings), settings.host, settings.port, listening)


def _ready(settings: Settings) -> "Assistant":
    """The assistant over an index that is up to date; what is done is told as an error is."""
    from assistant.indexing import make_ready

    errors = screen(errors=True)
    make_ready(settings, errors)
    errors.line("Starting …")
    from assistant.composition import build_assistant

    return build_assistant(settings)


def _has_display() -> bool:
    if not sys.stdout.isatty():
        return False
    return sys.platform in ("darwin", "win32") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
