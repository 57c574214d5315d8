"""Many questions from a file, and the names a filter may be given by.

Owns the lines of a batch: what goes in, what comes out, which errors stay with
their line. Knows nothing of terminals or of how a question is answered.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from pydantic import ValidationError

from assistant.answers import Answer, Turn
from assistant.questions_file import Asked, first_problem
from corpus.errors import ExpectedError
from index.catalogue import Catalogue
from index.retrieval import Filters

_LINE_HINT = (
    'Write one JSON object a line: {"id": …, "question": …, "history": [{"role", "content"}]}.'
)

Ask = Callable[[str, Sequence[Turn]], Answer]


def filters_by_name(
    catalogue: Catalogue, kinds: Sequence[str], documents: Sequence[str]
) -> Filters:
    """The filters for kinds, and for documents given by id, path or title.

    Raises `ExpectedError` naming what the library does not hold, and what it does.
    """
    held = sorted({document.kind for document in catalogue.documents.values()})
    for kind in kinds:
        if kind not in held:
            raise ExpectedError(
                f"The library holds no document of the kind {kind!r}.",
                f"Choose from: {', '.join(held)}.",
            )
    return Filters(
        kinds=frozenset(kinds),
        documents=frozenset(_document_id(catalogue, name) for name in documents),
    )


def _document_id(catalogue: Catalogue, name: str) -> str:
    for document in catalogue.documents.values():
        if name in (document.id, document.path) or name.lower() == document.title.lower():
            return document.id
    paths = [document.path for document in catalogue.documents.values()]
    shown = ", ".join(paths[:10]) + (", …" if len(paths) > 10 else "")
    raise ExpectedError(
        f"The library holds no document {name!r}.", f"Give its path, title or id: {shown}."
    )


def answer_lines(lines: Iterable[bytes], ask: Ask) -> Iterator[tuple[dict[str, Any], bool]]:
    """Answer each line of a batch; yields what to write for it and whether it was answered.

    A line that can't be used gives `{"id", "line", "error"}` in its place, its number
    counted from 1, and the others are answered all the same. Empty lines are passed over.
    """
    for number, line in enumerate(lines, start=1):
        raw = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
        if not raw.strip():
            continue
        try:
            asked = Asked.model_validate_json(raw)
        except ValidationError as error:
            yield _failed(_id_of(raw), number, first_problem(error), _LINE_HINT), False
            continue
        try:
            answer = ask(asked.question, asked.turns)
        except ExpectedError as error:
            yield _failed(asked.id, number, error.message, error.hint), False
            continue
        yield {"id": asked.id, **answer.as_json()}, True


def _id_of(raw: bytes) -> str | int | None:
    """The id of a line that is JSON but not a question, to find it again."""
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    found = value.get("id") if isinstance(value, dict) else None
    return found if isinstance(found, str | int) else None


def _failed(asked_id: str | int | None, line: int, message: str, hint: str) -> dict[str, Any]:
    return {"id": asked_id, "line": line, "error": {"message": message, "hint": hint}}
