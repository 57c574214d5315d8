"""The question file of an evaluation: lines in, checked questions out.

Owns the format (one JSON object a line) and its errors. Knows nothing of how a
question is answered or scored.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from assistant.answers import Turn
from corpus.errors import ExpectedError

_FORMAT_HINT = (
    "Write one JSON object a line with id, type, question, gold, gold_mode, expect "
    "and must_include."
)


def _alternatives(value: object) -> object:
    """An entry of `must_include`: a string stands for a list of one."""
    return (value,) if isinstance(value, str) else value


class Gold(BaseModel):
    """A passage that holds the answer: an exact piece of a file of the library."""

    model_config = ConfigDict(frozen=True)

    file: str
    quote: str = Field(min_length=1)


class Message(BaseModel):
    """One earlier message of a conversation."""

    model_config = ConfigDict(frozen=True)

    role: Literal["user", "assistant"]
    content: str

    def turn(self) -> Turn:
        """The message as the assistant takes it."""
        return Turn(role=self.role, content=self.content)


class Asked(BaseModel):
    """A question with an id and the turns before it: what a batch is made of."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str | int | None = None
    question: str
    history: tuple[Message, ...] = ()

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The conversation so far."""
        return tuple(message.turn() for message in self.history)


class Question(Asked):
    """A question with what a right answer is.

    `must_include` holds, for each thing that has to be said, the wordings that say it;
    `must_not_include` holds wordings that make an answer wrong. `gold_mode` says whether
    one of the gold passages is enough or all are needed.
    """

    id: str
    type: str
    gold: tuple[Gold, ...] = ()
    gold_mode: Literal["any", "all"] = "any"
    expect: Literal["answer", "abstain"] = "answer"
    must_include: tuple[Annotated[tuple[str, ...], BeforeValidator(_alternatives)], ...] = ()
    must_not_include: tuple[str, ...] = ()
    note: str = ""


def first_problem(error: ValidationError) -> str:
    """The first thing wrong, in one line: where it is and what it should be."""
    problem = error.errors()[0]
    where = ".".join(str(part) for part in problem["loc"])
    return f"{where}: {problem['msg']}" if where else str(problem["msg"])


def load_questions(path: Path) -> tuple[Question, ...]:
    """Read a question file; empty lines are skipped.

    Raises `ExpectedError` that names the file, and the line where one is wrong.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ExpectedError(f"{path} can't be read: {reason}.", _FORMAT_HINT) from error
    questions: dict[str, Question] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            question = Question.model_validate_json(line)
        except ValidationError as error:
            raise ExpectedError(
                f"{path}, line {number} can't be used: {first_problem(error)}.", _FORMAT_HINT
            ) from error
        if question.id in questions:
            raise ExpectedError(
                f"{path}, line {number}: the id {question.id!r} stands twice.",
                "Give every question an id of its own.",
            )
        questions[question.id] = question
    if not questions:
        raise ExpectedError(f"{path} holds no question.", _FORMAT_HINT)
    return tuple(questions.values())
