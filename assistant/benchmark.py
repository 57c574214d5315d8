"""An evaluation from start to end: index, ask, score, print, write.

Puts the parts of an evaluation together for the command. Knows no rule of scoring.
"""

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from assistant.answers import Answer, Turn
from assistant.chain import Assistant
from assistant.composition import build_assistant
from assistant.evaluation import Evaluation, PlainDense, evaluate
from assistant.indexing import make_ready
from assistant.questions_file import Question, load_questions
from assistant.report_page import report_html
from assistant.reports import (
    TABLE,
    About,
    abstention_lines,
    report_json,
    table_rows,
    write_report,
)
from assistant.settings import Settings
from assistant.terminal import Screen
from corpus.errors import ExpectedError
from index.catalogue import Catalogue
from index.retrieval import Hit


class _Asking:
    """The assistant as the evaluation asks it."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant

    def answer(self, question: str, turns: Sequence[Turn]) -> Answer:
        return self._assistant.ask(question, turns).answer()

    def find(self, question: str, turns: Sequence[Turn], limit: int) -> Sequence[Hit]:
        return self._assistant.find(question, turns, limit=limit)


def run(
    questions_file: Path, settings: Settings, folder: Path, screen: Screen, errors: Screen
) -> Evaluation:
    """Evaluate, print the figures and write the report; returns all trials."""
    questions = load_questions(questions_file)
    make_ready(settings, errors)
    assistant = build_assistant(settings)
    catalogue = assistant.catalogue()
    _check_gold(questions, catalogue)
    plain = PlainDense(catalogue, assistant.embedder)
    with errors.progress() as progress:
        evaluation = evaluate(questions, _Asking(assistant), plain, settings.library, progress)
    about = _about(questions_file, settings, evaluation, catalogue)
    screen.table("", TABLE, table_rows(evaluation), total=2)
    for line in abstention_lines(evaluation):
        screen.line(line)
    data, page = report_json(evaluation, about), report_html(evaluation, about)
    for file in write_report(data, page, folder):
        screen.line(f"Written: {file}")
    return evaluation


def _check_gold(questions: Sequence[Question], catalogue: Catalogue) -> None:
    """Refuse a question file that is about another library: its figures would mean nothing."""
    held = {document.path for document in catalogue.documents.values()}
    named = {gold.file for question in questions for gold in question.gold}
    if named and not named & held:
        raise ExpectedError(
            f"The library holds none of the files that the questions name ({min(named)}, …).",
            "Name their library with --library.",
        )


def _about(
    questions_file: Path, settings: Settings, evaluation: Evaluation, catalogue: Catalogue
) -> About:
    generation = next((t.answer.generation for t in evaluation.ours if t.answer), "")
    return About(
        questions=questions_file.name,
        library=settings.library.resolve().name,
        documents=len(catalogue.documents),
        passages=len(catalogue.passages),
        embedding_model=settings.embedding_model,
        generation=generation,
        version=version("rapporteur"),
    )
