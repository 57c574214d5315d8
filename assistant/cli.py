"""The `rapporteur` command: options in, the parts put together, exit status out.

Commands that serve something are in `cli_serving`. Heavy parts are imported by the
command that needs them, so that help comes at once. Decides nothing about answers or looks.
"""

import atexit
import gc
import json
import signal
import sys
from collections.abc import Iterable
from importlib.metadata import version as installed_version
from io import TextIOWrapper
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from assistant import cli_partners
from assistant.cli_options import AsJson, Index, Library, screen
from assistant.cli_serving import chat, mcp
from assistant.privacy import quiet_process
from assistant.settings import load_settings
from corpus.errors import ExpectedError

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


def main() -> None:
    """Run the command; errors that a user can mend are told without a traceback."""
    quiet_process()
    # At the very end. To look through the models' half a million objects for what might be let
    # go of would take seconds more, and the system takes it all back anyway.
    atexit.register(gc.freeze)
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
            screen(errors=True).error(error)
            sys.exit(1)
    except SystemExit as leaving:
        if leaving.code != INTERRUPTED and not pressed:
            raise
    # Also where a library swallowed the interruption, or made another error of it.
    screen(errors=True).line("Interrupted.")
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

    report = update(settings, screen(errors=True))
    found = counts(report)
    figures = [[str(count) for count in found.values()]]
    screen().table("", tuple(found), figures, labelled=False)
    tell_failed(report, screen(errors=True))
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
    make_ready(settings, screen(errors=True))
    from assistant.composition import build_assistant

    assistant = build_assistant(settings)
    filters = filters_by_name(assistant.catalogue(), kind or [], document or [])
    if question is not None:
        answer = assistant.ask(question, filters=filters).answer()
        if as_json:
            _print_json(answer.as_json())
        else:
            screen().answer(answer)
        return
    all_used = True
    for line, used in answer_lines(
        lines, lambda asked, turns: assistant.ask(asked, turns, filters).answer()
    ):
        _print_json(line)
        all_used = all_used and used
    if not all_used:
        raise typer.Exit(PARTLY)


app.command()(chat)
app.command()(mcp)
app.add_typer(cli_partners.app, name="partners")


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

    run(questions, settings, report, screen(), screen(errors=True))


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
        shown = screen()
        shown.checks([(check.state, check.name, check.found) for check in checks])
        for check in checks:
            if check.todo:
                shown.line()
                shown.line(f"{check.name}: {check.todo}", "bold")
    if any(check.state == "fix" for check in checks):
        raise typer.Exit(1)


@app.command()
def validate(library: Library = None) -> None:
    """Check the texts of the library against the rules for those that ship.

    Exit status 0: nothing to mend; 1: something is.
    """
    settings = load_settings(library=library)
    from corpus.validation import validate as problems_of

    shown = screen()
    problems = problems_of(settings.library)
    for problem in problems:
        place = f"{problem.path}:{problem.line}" if problem.line else problem.path
        shown.line(f"{place}: {problem.message}")
        shown.line(problem.hint, "bold", indent=2)
    shown.line(f"Problems: {len(problems) or 'none'}.")
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


def _print_json(value: object) -> None:
    """One line of JSON as UTF-8, whatever the locale; flushed, for whoever reads along."""
    text = json.dumps(value, ensure_ascii=False) + "\n"
    # A lone surrogate becomes \udcxx, which is JSON too.
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
    sys.stdout.buffer.flush()
