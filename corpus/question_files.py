"""The question file beside a document: its anticipated questions, by heading.

Owns its format and what is told when it does not fit the document. Knows nothing of how
the questions are searched.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from corpus.cleaning import clean, one_line
from corpus.documents import PointedQuestion, Section
from corpus.errors import UnreadableFile
from corpus.outline import Outline


@dataclass(frozen=True, kw_only=True)
class Anticipated:
    """The anticipated questions of a document, as `Document` holds them."""

    asks: tuple[tuple[str, tuple[str, ...]], ...] = ()
    pointed: tuple[PointedQuestion, ...] = ()


@dataclass(frozen=True, kw_only=True)
class QuestionFile:
    """A question file: the path of its document, its own path, and its text."""

    document: str
    path: str
    text: str

    def read(self, outline: Outline, text: str, sections: Sequence[Section]) -> Anticipated:
        """Its questions, headings as the document has them.

        A table's name is a heading of the document; the empty name or the title stands for
        what comes before the first heading. `questions` lists what a section answers; the
        table `answers` in it gives, for a question, exact words of the sentence that
        answers it. Raises `UnreadableFile` where it does not fit the document.
        """
        try:
            tables = tomllib.loads(clean(self.text).text)
        except tomllib.TOMLDecodeError as error:
            raise UnreadableFile(
                self.document, f"{self.path} is not valid TOML ({error}).", "Mend it."
            ) from error
        known = {_key(section.heading): section for section in reversed(sections)}
        known |= {_key(outline.title): known[""]} if "" in known else {}
        asks: list[tuple[str, tuple[str, ...]]] = []
        pointed: list[PointedQuestion] = []
        for heading, table in tables.items():
            section = known.get(_key(heading))
            if section is None:
                raise self._refused(
                    f"names the heading “{heading}”, which the document does not have.",
                    "Spell the heading as in the document.",
                )
            asks.append((section.heading, self._questions(heading, table)))
            words = text[section.blocks[0].start : section.end] if section.blocks else ""
            pointed += self._pointed(section.heading, table.get("answers", {}), words)
        return Anticipated(asks=tuple(asks), pointed=tuple(pointed))

    def _questions(self, heading: str, table: Any) -> tuple[str, ...]:
        questions = table.get("questions") if isinstance(table, dict) else None
        if not isinstance(questions, list) or not all(isinstance(q, str) for q in questions):
            raise self._refused(
                f"has no list `questions` of texts under “{heading}”.",
                'Write it as ["Heading"] and questions = ["…?"].',
            )
        return tuple(q for q in map(one_line, questions) if q)

    def _pointed(
        self, heading: str, answers: Mapping[str, Any], words: str
    ) -> list[PointedQuestion]:
        pointed = []
        for question, answer in answers.items() if isinstance(answers, dict) else [("", None)]:
            if not isinstance(answer, str) or not answer or answer not in words:
                raise self._refused(
                    f"has an answer to “{question}” that does not stand under “{heading}”.",
                    'Write it as "question?" = "exact words of the sentence that answers".',
                )
            pointed.append(
                PointedQuestion(heading=heading, question=one_line(question), words=answer)
            )
        return pointed

    def _refused(self, reason: str, hint: str) -> UnreadableFile:
        return UnreadableFile(self.document, f"{self.path} {reason}", hint)


def _key(heading: str) -> str:
    return one_line(heading).casefold().replace("’", "'")
