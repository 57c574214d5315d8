"""The `rapporteur` command: options in, the parts put together, exit status out.

The only file that imports typer, and the only one besides `assistant.web` itself
that imports `assistant.web`. Heavy parts are imported by the command that needs
them, so that help comes at once. Decides nothing about answers or looks.
"""

import json
import os
import signal
import sys
from collections.abc import Iterable
from importlib.metadata import version as installed_version
from io import TextIOWrapper
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.privacy import quiet_process
from assistant.settings import load_settings
from corpus.errors import ExpectedError

if TYPE_CHECKING:
    from assistant.terminal import Screen

PARTLY = 3
"""Exit status when some files or lines could not be used and the rest was done."""
INTERRUPTED = 130

app = typer.Typer(
    name="rapporteur",
    help="Ask a library of documents; every answer is made of exact, cited quotations.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)

Library = Annotated[
    Path | None, typer.Option(help="Folder of the documents. [RAPPORTEUR_LIBRARY]", metavar="DIR")
]
Index = Annotated[
    Path | None, typer.Option(help="Folder of the index. [RAPPORTEUR_INDEX]", metavar="DIR")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def main() -> None:
    """Run the command; errors that a user can mend are told without a traceback."""
    quiet_process()
    for stream in (sys.stdout, sys.stderr):
        # A terminal without some character shows a question mark, not a traceback.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    pressed: list[int] = []

    def stop(signum: int, _frame: FrameType | None) -> None:
        pressed.append(signum)
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, stop)
    try:
        app()
    except ExpectedError as error:
        if not pressed:
            _screen(errors=True).error(error)
            sys.exit(1)
    except SystemExit as leaving:
        if leaving.code != INTERRUPTED and not pressed:
            raise
    # Also where a library swallowed the interruption, or made another error of it.
    _screen(errors=True).line("Interrupted.")
    sys.exit(INTERRUPTED)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"rapporteur {installed_version('rapporteur')}")
        raise typer.Exit()


@app.callback()
def _root(
    _version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    pass


@app.command()
def index(
    library: Library = None,
    index: Index = None,
    embedding_model: Annotated[
        str | None,
        typer.Option(
            help="Embedding model: the default one, or a name or folder. "
            "[RAPPORTEUR_EMBEDDING_MODEL]",
            metavar="NAME",
        ),
    ] = None,
) -> None:
    """Make the index equal the library.

    Exit status 0: all files are indexed; 3: some could not be read, the others are
    indexed; 1: nothing was changed.
    """
    settings = load_settings(library=library, index=index, embedding_model=embedding_model)
    from assistant.indexing import counts, tell_failed, update

    report = update(settings, _screen(errors=True))
    found = counts(report)
    figures = [[str(count) for count in found.values()]]
    _screen().table("", tuple(found), figures, labelled=False)
    tell_failed(report, _screen(errors=True))
    if report.failed:
        raise typer.Exit(PARTLY)


@app.command()
def ask(  # noqa: PLR0913, PLR0917 - an argument for each option
    question: Annotated[str | None, typer.Argument(help="The question.")] = None,
    as_json: AsJson = False,
    batch: Annotated[
        str | None,
        typer.Option(
            help='Answer each line {"id", "question", "history": [{"role", "content"}]} of a file '
            "('-': standard input), one line of JSON each.",
            metavar="FILE.jsonl",
        ),
    ] = None,
    kind: Annotated[
        list[str] | None, typer.Option(help="Only documents of this kind; may be repeated.")
    ] = None,
    document: Annotated[
        list[str] | None,
        typer.Option(help="Only this document (path, title or id); may be repeated."),
    ] = None,
    library: Library = None,
    index: Index = None,
) -> None:
    """Ask one question, or a file of them; the index is brought up to date first.

    Exit status 0: done, also when the library does not answer; 3: some lines of a batch
    could not be used, the others are answered; 1: nothing could be done.
    """
    if (question is None) == (batch is None):
        raise typer.BadParameter("Give a question, or --batch FILE.jsonl.")
    settings = load_settings(library=library, index=index)
    from assistant.asking import answer_lines, filters_by_name
    from assistant.indexing import make_ready
    from assistant.questions import clean_question

    if question is not None:
        clean_question(question)  # Told before anything slow is done.
    lines = [] if batch is None else _batch_lines(batch)
    make_ready(settings, _screen(errors=True))
    from assistant.composition import build_assistant

    assistant = build_assistant(settings)
    filters = filters_by_name(assistant.catalogue(), kind or [], document or [])
    if question is not None:
        answer = assistant.ask(question, filters=filters).answer()
        if as_json:
            _print_json(answer.as_json())
        else:
            _screen().answer(answer)
        return
    all_used = True
    for line, used in answer_lines(
        lines, lambda asked, turns: assistant.ask(asked, turns, filters).answer()
    ):
        _print_json(line)
        all_used = all_used and used
    if not all_used:
        raise typer.Exit(PARTLY)


@app.command()
def chat(
    library: Library = None,
    index: Index = None,
    host: Annotated[
        str | None, typer.Option(help="Address to listen on. [RAPPORTEUR_HOST]")
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Port; 0 takes a free one. [RAPPORTEUR_PORT]")
    ] = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the chat in a browser.")
    ] = True,
) -> None:
    """Serve the chat; the index is brought up to date first."""
    settings = load_settings(library=library, index=index, host=host, port=port)
    from assistant.indexing import make_ready

    screen = _screen(errors=True)
    make_ready(settings, screen)
    screen.line("Starting …")
    from assistant.composition import build_assistant
    from assistant.web.server import create_app, serve

    served = create_app(build_assistant(settings), settings)

    def listening(address: str) -> None:
        _screen().line(f"Rapporteur listens on {address} (Ctrl-C stops it).", "bold")
        if browser and _has_display():
            typer.launch(address)

    serve(served, settings.host, settings.port, listening)


@app.command()
def evaluate(
    questions: Annotated[Path, typer.Argument(help="Question file.", metavar="QUESTIONS.jsonl")],
    library: Library = None,
    index: Annotated[
        Path | None,
        typer.Option(help="Folder of the index. [default: one of its own]", metavar="DIR"),
    ] = None,
    report: Annotated[
        Path, typer.Option(help="Where report.json and report.html go.", metavar="DIR")
    ] = Path("reports"),
    without_questions: Annotated[
        bool, typer.Option("--without-questions", help="Leave out the anticipated questions.")
    ] = False,
) -> None:
    """Score the answers to a question file, beside a plain dense retriever."""
    settings = load_settings(library=library, index=index)
    from assistant.indexing import own_index
    from assistant.indexing import without_questions as bare

    if library is not None and index is None:
        # Another library than the usual one must not take the place of its index.
        settings = load_settings(library=library, index=own_index(library, settings.index))
    if without_questions:
        settings = bare(settings)
    from assistant.benchmark import run

    run(questions, settings, report, _screen(), _screen(errors=True))


@app.command()
def doctor(library: Library = None, index: Index = None, as_json: AsJson = False) -> None:
    """Say what is installed, indexed and reachable, and what to do about what is not.

    Exit status 0: nothing to do; 1: something is.
    """
    settings = load_settings(library=library, index=index)
    from assistant.doctor import examine

    checks = examine(settings)
    if as_json:
        _print_json([vars(check) for check in checks])
    else:
        screen = _screen()
        screen.checks([(check.state, check.name, check.found) for check in checks])
        for check in checks:
            if check.todo:
                screen.line()
                screen.line(f"{check.name}: {check.todo}", "bold")
    if any(check.state == "fix" for check in checks):
        raise typer.Exit(1)


@app.command()
def validate(library: Library = None) -> None:
    """Check the texts of the library against the rules for those that ship.

    Exit status 0: nothing to mend; 1: something is.
    """
    settings = load_settings(library=library)
    from corpus.validation import validate as problems_of

    screen = _screen()
    problems = problems_of(settings.library)
    for problem in problems:
        place = f"{problem.path}:{problem.line}" if problem.line else problem.path
        screen.line(f"{place}: {problem.message}")
        screen.line(problem.hint, "bold", indent=2)
    screen.line(f"Problems: {len(problems) or 'none'}.")
    if problems:
        raise typer.Exit(1)


def _batch_lines(name: str) -> Iterable[bytes]:
    """The lines of a batch: of a file, read before anything slow is done, or as they come."""
    if name == "-":
        return sys.stdin.buffer
    try:
        return Path(name).read_bytes().splitlines()
    except OSError as error:
        raise ExpectedError(
            f"{name} can't be read: {error.strerror}.", "Name a file of JSON lines."
        ) from error


def _screen(*, errors: bool = False) -> "Screen":
    """The terminal, or that for errors; imported late, for it knows what an answer is."""
    from assistant.terminal import Screen

    return Screen(errors=errors)


def _print_json(value: object) -> None:
    """One line of JSON as UTF-8, whatever the locale; flushed, for whoever reads along."""
    text = json.dumps(value, ensure_ascii=False) + "\n"
    # A lone surrogate becomes \udcxx, which is JSON too.
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
    sys.stdout.buffer.flush()


def _has_display() -> bool:
    if not sys.stdout.isatty():
        return False
    return sys.platform in ("darwin", "win32") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
