"""How things look in a terminal: answers, progress, tables, errors.

The only file that uses rich. Colour and boxes only where there is a terminal and
NO_COLOR is not set; plain lines elsewhere. Decides nothing about what is said.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any

from rich import box
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from assistant.answers import MARKER, Answer, Citation, Evidence
from assistant.marking import marked_text
from assistant.rendering import checked_line, document_line, plain
from corpus.errors import ExpectedError

_WIDEST = 96  # longer lines are hard to read
_EXCERPT = 180
_MARKERS = re.compile(r"\s*(?:\[\d+\]\s*)+")
_MARK = re.compile(r"\(⚠[^)]*\)")
_BULLET = re.compile(r"^(\s*)([•\-*–]|\d{1,3}[.)])\s+")

ProgressCallback = Callable[[str, int, int], None]


def excerpt(text: str, length: int = _EXCERPT) -> str:
    """The beginning of a text in one line, cut at a word."""
    line = " ".join(text.split())
    if len(line) <= length:
        return line
    return line[:length].rsplit(" ", 1)[0].rstrip(" ,;:.") + " …"


def _pieces(text: str) -> list[tuple[str, str]]:
    """The cited sentences of a text, each with its markers; what has none comes last."""
    found, after = [], 0
    for match in _MARKERS.finditer(text):
        found.append((text[after : match.start()].strip(), match[0].strip()))
        after = match.end()
    rest = text[after:].strip()
    return [*found, (rest, "")] if rest else found


class Screen:
    """A terminal, or the pipe in its place. `errors` makes it the one for errors."""

    def __init__(self, *, errors: bool = False, width: int | None = None) -> None:
        self._console = Console(
            stderr=errors, width=width, highlight=False, markup=False, emoji=False
        )

    @property
    def interactive(self) -> bool:
        """Whether a person is looking."""
        return self._console.is_terminal

    def line(self, text: str = "", style: str = "", indent: int = 0) -> None:
        """One paragraph, wrapped."""
        self._hanging(" " * indent, text, style)

    def error(self, error: ExpectedError) -> None:
        """What went wrong, and what to do."""
        self._labelled("Error", error.message, "bold red")
        if error.hint:
            self._labelled("What to do", error.hint, "bold")

    def warning(self, message: str, hint: str = "") -> None:
        """Something that did not stop the command, and what to do."""
        self._labelled("Note", message, "bold yellow")
        if hint:
            self._labelled("What to do", hint, "bold")

    def table(
        self,
        title: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[str]],
        *,
        labelled: bool = True,
        total: int = 0,
    ) -> None:
        """A table of figures; the first column holds labels, to the left, if `labelled`.

        The last `total` rows are set apart.
        """
        table = Table(
            title=plain(title) or None,
            title_justify="left",
            title_style="bold",
            box=box.SIMPLE_HEAD,
            collapse_padding=True,
            pad_edge=False,
        )
        for number, column in enumerate(columns):
            table.add_column(
                column, justify="left" if labelled and not number else "right", no_wrap=True
            )
        for number, row in enumerate(rows):
            table.add_row(
                *[plain(cell) for cell in row],
                end_section=bool(total) and number == len(rows) - total - 1,
                style="bold" if number >= len(rows) - total else "",
            )
        self._console.print(table)

    def checks(self, rows: Sequence[tuple[str, str, str]]) -> None:
        """Lines of a check: state (`ok`, `note` or `fix`), what was looked at, what was found."""
        styles = {"ok": "green", "note": "yellow", "fix": "bold red"}
        widest = max((len(name) for _, name, _ in rows), default=0)
        for state, name, found in rows:
            self._console.print(Text(f"{state:<5}", style=styles.get(state, "")), end="")
            self._hanging(f"{plain(name):<{widest}}  ", found, taken=5)

    @contextmanager
    def progress(self) -> Iterator[ProgressCallback]:
        """A progress bar with counts; yields what to call with stage, done and total."""
        bar = Progress(
            TextColumn("{task.description:<12}"),
            BarColumn(bar_width=32),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
        )
        tasks: dict[str, Any] = {}

        def report(stage: str, done: int, total: int) -> None:
            bar.start()
            if stage not in tasks:
                tasks[stage] = bar.add_task(plain(stage).capitalize(), total=total)
            bar.update(tasks[stage], completed=done, total=total)

        try:
            yield report
        finally:
            # Never started where nothing was reported: an empty bar is an empty line.
            bar.stop()

    def answer(self, answer: Answer) -> None:
        """A whole answer: what is said, where it stands, what was checked, what to ask next."""
        if answer.standalone_question.strip() != answer.question.strip() and answer.answered:
            self.line(f"Understood as: {answer.standalone_question}", "dim")
            self.line()
        for notice in answer.notices:
            self._hanging("Notice: ", notice, "yellow")
        if answer.notices:
            self.line()
        self._body(marked_text(answer))
        self._sources(answer.citations)
        self._nearest(answer.nearest)
        if answer.citations:
            self.line()
            self.line(checked_line(answer), "green")
        if answer.standalone_question != answer.question:
            self.line(f"Understood as: {answer.standalone_question}", "dim")
        if answer.followups:
            self.line()
            self.line("You could ask next", "bold")
            for question in answer.followups:
                self._hanging("- ", question)

    def _body(self, text: str) -> None:
        """The text, each cited sentence on lines of its own with its markers before it."""
        widest = max((len(marks) for _, marks in _pieces(text)), default=0)
        for line in text.split("\n"):
            for piece, marks in _pieces(line):
                bullet = _BULLET.match(piece)
                label = f"{marks:<{widest}} " if widest else ""
                sign = f"{bullet[2]} " if bullet else ""
                self._hanging(label + sign, piece[bullet.end() :] if bullet else piece)
            if not line.strip():
                self.line()

    def _sources(self, citations: Sequence[Citation]) -> None:
        if not citations:
            return
        self.line()
        self.line("Sources", "bold")
        documents = {citation.document.id: citation.document for citation in citations}
        for document in documents.values():
            self._hanging("", document.title, style="bold")
            described = " · ".join(
                part for part in (document_line(document), document.url or document.path) if part
            )
            self.line(described, "dim", indent=2)
            for notice in document.notices:
                self.line(f"Notice: {notice.text}", "yellow", indent=2)
            its_own = [citation for citation in citations if citation.document.id == document.id]
            for _, group in groupby(its_own, key=lambda citation: citation.passage.id):
                self._cited(list(group))

    def _cited(self, cited: Sequence[Citation]) -> None:
        """The markers of one passage, where in its document it stands, and its id."""
        passage = cited[0].passage
        first, last = cited[0].number, cited[-1].number
        is_run = len(cited) > 2 and last - first == len(cited) - 1
        marks = [f"[{first}]–[{last}]"] if is_run else [f"[{one.number}]" for one in cited]
        label = f"  {' '.join(marks)} "
        if passage.heading:
            self._hanging(label, " › ".join(passage.heading))
            label = " " * len(label)
        self._hanging(label, f"passage {passage.id}", style="dim")

    def _nearest(self, nearest: Sequence[Evidence]) -> None:
        if not nearest:
            return
        self.line()
        self.line("Closest in the library", "bold")
        for evidence in nearest:
            where = (evidence.document.title, *evidence.hit.passage.heading)
            self._hanging("- ", " › ".join(where), style="bold")
            self.line(excerpt(evidence.hit.passage.text), indent=2)

    def _hanging(self, label: str, text: str, style: str = "", taken: int = 0) -> None:
        """A paragraph whose lines stand under its first, right of the label.

        `taken` columns of the first line are already written.
        """
        styled = Text(plain(text), style=style)
        styled.highlight_regex(MARKER, "bold cyan")
        styled.highlight_regex(_MARK, "bold yellow")
        before = Text(label, style="bold cyan" if "[" in label else "")
        # Wrapped here and not by a table of rich, which fills lines up with spaces.
        room = max(min(self._console.width, _WIDEST) - before.cell_len - taken, 20)
        for line in styled.wrap(self._console, room) or [Text()]:
            line.rstrip()
            self._console.print(Text.assemble(before, line), soft_wrap=True)
            before = Text(" " * (len(label) + taken))

    def _labelled(self, label: str, text: str, style: str) -> None:
        line = Text.assemble((f"{label}: ", style), plain(text))
        self._console.print(line, soft_wrap=not self.interactive)
