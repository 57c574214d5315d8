"""What the files of the command share: options that several commands take, the terminal.

Knows nothing of what a command does.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from assistant.terminal import Screen

Library = Annotated[
    Path | None, typer.Option(help="Folder of the documents. [RAPPORTEUR_LIBRARY]", metavar="DIR")
]
Index = Annotated[
    Path | None, typer.Option(help="Folder of the index. [RAPPORTEUR_INDEX]", metavar="DIR")
]
Host = Annotated[str | None, typer.Option(help="Address to listen on. [RAPPORTEUR_HOST]")]
Port = Annotated[int | None, typer.Option(help="Port; 0 takes a free one. [RAPPORTEUR_PORT]")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def screen(*, errors: bool = False) -> "Screen":
    """The terminal, or that for errors; imported late, for it knows what an answer is."""
    from assistant.terminal import Screen

    return Screen(errors=errors)
