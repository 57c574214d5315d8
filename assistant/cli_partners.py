"""The commands for partners: add, list, check, the lines to paste, two sites to look at.

Options in, the parts put together, exit status out. Decides nothing about what a partner
may be or what is served.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.cli_options import Host, Index, Library, Port, screen
from assistant.settings import Settings, load_settings

if TYPE_CHECKING:
    from assistant.web.partners import Partner, Problem
    from assistant.web.snippet import Snippet

app = typer.Typer(
    help="The partners whose sites may embed the assistant, in RAPPORTEUR_PARTNERS.",
    no_args_is_help=True,
)

File = Annotated[
    Path | None, typer.Option("--file", help="File of partners. [RAPPORTEUR_PARTNERS]")
]


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Name of the partner, for you.")],
    origin: Annotated[
        list[str], typer.Option(help="Origin of its pages, https://www.ngo.org; may be repeated.")
    ],
    title: Annotated[str, typer.Option(help="Heading of the chat.")] = "",
    language: Annotated[
        list[str] | None,
        typer.Option(help="en, fr, es, ar, ru or zh; may be repeated, the first is the usual one."),
    ] = None,
    file: File = None,
) -> None:
    """Add a partner with a new public id, and print the HTML for its pages.

    What stands in the file stays as it is; a running server knows the partner at once.
    """
    settings = load_settings(partners=file)
    from assistant.web.partners_edit import add_partner

    added = add_partner(settings.partners, name, origin, title=title, languages=language or [])
    screen(errors=True).line(f"Added {added.id} to {settings.partners}.")
    _print_snippet(added, settings)


@app.command("list")
def list_partners(file: File = None) -> None:
    """List the partners: id, name, whether it is on, quotas, origins."""
    settings = load_settings(partners=file)
    from assistant.web.partners import read_partners

    partners = read_partners(settings.partners)
    _warn_without_file(settings)
    if not partners:
        screen().line(f"{settings.partners} names no partners. Add one: rapporteur partners add")
    for partner in partners.values():
        state = "on" if partner.enabled else "off"
        rate = f"{partner.questions_per_minute} a minute, {partner.questions_per_day} a day"
        shown = screen()
        shown.line(f"{partner.id}  {partner.name or partner.title}  ({state}; {rate})", "bold")
        for origin in partner.origins or ("no origin: it is shown nowhere",):
            shown.line(origin, indent=2)


@app.command()
def check(file: File = None, library: Library = None, index: Index = None) -> None:
    """Check the file of partners, and that the library holds what they name.

    Exit status 0: nothing to mend; 1: something is.
    """
    settings = load_settings(partners=file, library=library, index=index)
    from assistant.web.partners import PartnersUnusable, read_partners

    problems: list[Problem] = []
    partners: list[Partner] = []
    try:
        partners = list(read_partners(settings.partners).values())
    except PartnersUnusable as error:
        problems += error.problems
    limited = [partner for partner in partners if partner.kinds or partner.documents]
    if limited:
        problems += _missing(limited, settings)
    _warn_without_file(settings)
    shown = screen()
    for problem in problems:
        place = problem.partner or str(settings.partners)
        shown.line(f"{place}: {problem.message}.")
        shown.line(f"{problem.hint}.", "bold", indent=2)
    for partner in partners:
        if partner.enabled and not partner.origins:
            screen(errors=True).warning(f"{partner.id} has no origin: it is shown nowhere.")
    found = "" if problems else f"Partners: {len(partners)}. "
    shown.line(f"{found}Problems: {len(problems) or 'none'}.")
    if problems:
        raise typer.Exit(1)


def _warn_without_file(settings: Settings) -> None:
    if not settings.partners.exists():
        screen(errors=True).warning(
            f"There is no file {settings.partners}: no site may embed the assistant.",
            "`rapporteur partners add` makes it; another one is named by RAPPORTEUR_PARTNERS.",
        )


def _missing(partners: "list[Partner]", settings: Settings) -> "list[Problem]":
    from assistant.composition import build_assistant
    from assistant.indexing import make_ready

    make_ready(settings, screen(errors=True))
    catalogue = build_assistant(settings).catalogue()
    return [problem for partner in partners for problem in partner.missing_from(catalogue)]


@app.command()
def snippet(
    partner: Annotated[str, typer.Argument(help="Public id of the partner, pub_…")],
    file: File = None,
) -> None:
    """Print the HTML that a partner pastes into its pages."""
    settings = load_settings(partners=file)
    from assistant.web.partners import read_partners
    from corpus.errors import ExpectedError

    found = read_partners(settings.partners).get(partner)
    if found is None:
        raise ExpectedError(
            f"{settings.partners} names no partner {partner!r}.",
            "See `rapporteur partners list`.",
        )
    _print_snippet(found, settings)


def _print_snippet(partner: "Partner", settings: Settings) -> None:
    from assistant.web.snippet import snippet as made

    address = settings.public_url
    errors = screen(errors=True)
    if not address:
        address = f"http://{settings.host}:{settings.port}"
        errors.warning(
            f"The public address isn't known; {address} stands for it.",
            "Set RAPPORTEUR_PUBLIC_URL, as https://chat.example.org.",
        )
    if not partner.enabled:
        errors.warning(f"{partner.id} is off: nothing is shown yet.")
    _print_ways(made(partner, address))


def _print_ways(ways: "Snippet") -> None:
    for about, text in (
        ("Pinned: only this loader ever runs; it stays valid after updates", ways.pinned),
        ("Or following: the loader is as new as the server", ways.following),
        ("Or without scripts", ways.frame),
    ):
        typer.echo(f"<!-- {about} -->\n{text}\n")
    if ways.style:
        typer.echo(f"/* For the button's colour, in the style sheet of the site */\n{ways.style}\n")


@app.command()
def demo(
    library: Library = None, index: Index = None, host: Host = None, port: Port = None
) -> None:
    """Serve the chat and two sites to look at: one that may embed it, one that may not.

    Writes to no file of yours; the index is brought up to date first.
    """
    settings = load_settings(library=library, index=index, host=host, port=port)
    from assistant.composition import build_assistant
    from assistant.indexing import make_ready
    from assistant.web.demo import demo_sites
    from assistant.web.server import create_app, serve

    errors = screen(errors=True)
    make_ready(settings, errors)
    errors.line("Starting …")
    assistant = build_assistant(settings)
    with TemporaryDirectory(prefix="rapporteur-demo-") as folder:
        file = Path(folder) / "partners.toml"
        shown = settings.model_copy(
            update={"partners": file, "feedback": f"sqlite:///{folder}/feedback.db"}
        )
        with demo_sites(file) as opened:

            def listening(address: str) -> None:
                allowed, other = opened(address)
                screen().line(f"The assistant: {address}", "bold")
                screen().line(f"A site that may embed it: {allowed}", "bold")
                screen().line(f"A site that may not: {other} (Ctrl-C stops all)", "bold")

            serve(create_app(assistant, shown), shown.host, shown.port, listening)
