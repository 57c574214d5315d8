"""Whether a library keeps the rules of the one that ships: each problem, and what to do.

Owns the rules on headings, links between documents, question files and stated differences, and
where in its file a problem stands; `corpus.declarations` has the rules on front matter,
`corpus.wording` those on the words. Knows nothing of an index, nor of how a problem is shown.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from corpus.cleaning import clean, decode, one_line
from corpus.declarations import address_faults, declaration_faults
from corpus.documents import Document, Passage
from corpus.errors import UnreadableFile
from corpus.library import QUESTIONS_SUFFIX, SourceFile, read_questions, survey
from corpus.markdown_files import front_matter
from corpus.opening import MOST_BYTES, read_bytes
from corpus.reading import Reader
from corpus.splitting import is_reference_section, split
from corpus.wording import Fault, Read, copied_runs, faults, shared_sentences

FEWEST_RELATED, MOST_RELATED = 2, 5
FEWEST_QUESTIONS, MOST_QUESTIONS = 3, 6
LAST_HEADINGS = ("Sources", "See also")
_FILE_NAME = re.compile(r"[\w.-]+\.md\b")


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A rule that a file breaks.

    `path` is relative to the library; `line` counts from 1, 0 is the file as a whole. `hint`
    is what to do, an imperative sentence.
    """

    path: str
    line: int
    message: str
    hint: str


@dataclass(frozen=True, kw_only=True)
class _Text:
    """A document as it was read and as it is written; `body` counts the lines of front matter."""

    source: SourceFile
    document: Document
    passages: tuple[Passage, ...]
    meta: Mapping[str, object]
    lines: tuple[str, ...]
    body: int

    @property
    def name(self) -> str:
        return PurePosixPath(self.source.path).name

    @property
    def read(self) -> Read:
        return self.document, self.passages


def validate(library: Path, against: Path | None = None) -> tuple[Problem, ...]:
    """Every problem of the library, by path and line.

    `against` is a folder of foreign texts that no sentence, and no eight words in a row, may
    be taken from. Raises `LibraryError` where one of the two is no readable folder, and
    `UnreadableFile` for a foreign text that can't be read.
    """
    found = survey(library)
    problems = [_unreadable(error) for error in found.unreadable]
    problems += _stray_questions(found.files, [path for path, _ in found.ignored])
    texts: list[_Text] = []
    with Reader() as reader:
        for source in found.files:
            try:
                texts.append(_text(source, reader.read(source, library), library))
            except UnreadableFile as error:
                problems.append(_unreadable(error))
        foreign = list(_foreign(reader, against)) if against else []
    names = Counter(PurePosixPath(source.path).name for source in found.files)
    by_name: dict[str, list[_Text]] = {}
    for text in texts:
        by_name.setdefault(text.name, []).append(text)
    for text in texts:
        known = (*_links(text, names), *_differences(text, by_name))
        for fault in (*declaration_faults(text.meta), *known):
            problems.append(_problem(text, fault, 0))
        written = text.lines[text.body :]
        for fault in (*_headings(text), *address_faults(written), *faults(*text.read)):
            problems.append(_problem(text, fault, text.body))
    by_id = {text.document.id: text for text in texts}
    reads = [text.read for text in texts]
    for id_, fault in (*shared_sentences(reads, foreign), *copied_runs(reads, foreign)):
        problems.append(_problem(by_id[id_], fault, by_id[id_].body))
    problems += _questions(texts, library)
    return tuple(sorted(problems, key=lambda problem: (problem.path, problem.line)))


def _text(source: SourceFile, document: Document, library: Path) -> _Text:
    whole = _clean_text(read_bytes(library, source.path, MOST_BYTES))
    # The reader's child has parsed it before, within its limits.
    has_front_matter = PurePosixPath(source.path).suffix.lower() in (".md", ".markdown")
    meta = front_matter(whole)[0] if has_front_matter else {}
    lines = tuple(whole.split("\n"))
    return _Text(
        source=source,
        document=document,
        passages=split(document),
        meta=meta,
        lines=lines,
        body=lines.index("---", 1) + 1 if meta and "---" in lines[1:] else 0,
    )


def _clean_text(data: bytes) -> str:
    return clean(decode(data)).text


def _foreign(reader: Reader, folder: Path) -> Iterator[Read]:
    for source in survey(folder).files:
        document = reader.read(source, folder)
        yield document, split(document)


def _problem(text: _Text, fault: Fault, first: int) -> Problem:
    line = _line(text.lines, fault.words, first)
    return Problem(path=text.source.path, line=line, message=fault.message, hint=fault.hint)


def _line(lines: Sequence[str], words: str, first: int = 0) -> int:
    """The number of the first line from `first` on that holds the beginning of `words`; else 0."""
    start = words[:50]
    return next((at + 1 for at in range(first, len(lines)) if start and start in lines[at]), 0)


def _unreadable(error: UnreadableFile) -> Problem:
    message = f"It can't be used: {error.reason}"
    return Problem(path=error.path, line=0, message=message, hint=error.hint)


def _headings(text: _Text) -> Iterator[Fault]:
    """One title, as declared; each heading once; sources and related documents last."""
    titles = [line[2:].strip() for line in text.lines[text.body :] if line.startswith("# ")]
    if titles != [str(text.meta.get("title") or "")]:
        yield Fault(
            words=f"# {titles[0]}" if titles else "",
            message=f"The headings of level 1 are {titles}, not the front matter's title alone.",
            hint="Write one line `# Title`, the same as `title`; use `##` below it.",
        )
    headings = [section.heading for section in text.document.sections]
    if tuple(headings[-2:]) != LAST_HEADINGS:
        yield Fault(
            words="",
            message="The last two headings are not “Sources” and “See also”.",
            hint="End the document with `## Sources` and `## See also`.",
        )
    for heading, times in Counter(headings).items():
        if times > 1:
            yield Fault(
                words=f"# {heading}",
                message=f"The heading “{heading}” stands {times} times.",
                hint="Word each heading differently.",
            )


def _links(text: _Text, known: Mapping[str, int]) -> Iterator[Fault]:
    """`related` and the list under "See also": the same names, each of one other document.

    `known` tells how many documents have a name.
    """
    related = text.meta.get("related")
    names = [str(name) for name in related] if isinstance(related, list) else []
    if not FEWEST_RELATED <= len(names) <= MOST_RELATED:
        yield Fault(
            words="related:",
            message=f"{len(names)} related documents are named.",
            hint=f"Name {FEWEST_RELATED} to {MOST_RELATED} files under `related`.",
        )
    listed: list[str] = []
    for section in text.document.sections:
        if section.heading == LAST_HEADINGS[1]:
            listed = _FILE_NAME.findall(text.document.text[section.start : section.end])
    if sorted(listed) != sorted(names):
        yield Fault(
            words="## See also",
            message=f"“See also” and `related` differ in {sorted(set(listed) ^ set(names))}.",
            hint="List the same file names in both, each once.",
        )
    for name in dict.fromkeys((*names, *listed)):
        if name == text.name or known.get(name) != 1:
            yield Fault(
                words=name,
                message=f"{name} is not the name of one other document.",
                hint="Name a file of the library.",
            )


def _differences(text: _Text, by_name: Mapping[str, Sequence[_Text]]) -> Iterator[Fault]:
    """Stated differences: the sides are exact words, each of one passage of its document.

    A document may differ from itself, where it retells one source and adds what others say.
    """
    for stated in text.document.differences:
        name = PurePosixPath(stated.document).name
        others = by_name.get(name, ())
        if len(others) != 1 or stated.document not in (name, others[0].source.path):
            yield Fault(
                words=f"document: {stated.document}",
                message=f"{stated.document}, said to differ, is not one document.",
                hint="Name a file of the library.",
            )
        sides = [(stated.here, text), *((stated.there, other) for other in others)]
        for words, side in sides:
            if not any(words in passage.text for passage in side.passages):
                yield Fault(
                    words=words,
                    message=f"These words stand in no passage of {side.name}: “{words}”",
                    hint="Copy them from its text, from one section.",
                )


def _stray_questions(files: Sequence[SourceFile], ignored: Sequence[str]) -> Iterator[Problem]:
    """Question files without a document."""
    used = {_questions_path(source) for source in files}
    for path in ignored:
        if path.endswith(QUESTIONS_SUFFIX) and path not in used:
            yield Problem(
                path=path,
                line=0,
                message="There is no document beside this question file.",
                hint="Name it like its document, or remove it.",
            )


def _questions(texts: Sequence[_Text], library: Path) -> Iterator[Problem]:
    """Anticipated questions: enough for each section that is searched, each asked once."""
    first: dict[str, str] = {}
    for text in texts:
        path = _questions_path(text.source)
        data = read_questions(library, text.source)
        if data is None:
            yield Problem(
                path=text.source.path,
                line=0,
                message="It has no question file.",
                hint=f"Write {FEWEST_QUESTIONS} to {MOST_QUESTIONS} questions a section to {path}.",
            )
            continue
        lines = _clean_text(data).split("\n")
        for fault in (*_wrong_numbers(text.document), *_asked_before(text.document, first)):
            line = _line(lines, fault.words)
            yield Problem(path=path, line=line, message=fault.message, hint=fault.hint)


def _questions_path(source: SourceFile) -> str:
    return str(PurePosixPath(source.path).with_suffix(QUESTIONS_SUFFIX))


def _wrong_numbers(document: Document) -> Iterator[Fault]:
    searched = [
        section.heading
        for section in document.sections
        if section.blocks and not is_reference_section(section)
    ]
    asks = dict(document.asks)
    for heading in searched:
        asked = len(asks.pop(heading, ()))
        if not FEWEST_QUESTIONS <= asked <= MOST_QUESTIONS:
            yield Fault(
                words=f'["{heading or document.title}"]',
                message=f"“{heading or document.title}” has {asked} questions.",
                hint=f"Write {FEWEST_QUESTIONS} to {MOST_QUESTIONS}, as askers would word them.",
            )
    for heading in asks:
        yield Fault(
            words=f'["{heading or document.title}"]',
            message=f"“{heading or document.title}” has no text that is searched.",
            hint="Put the questions under the heading that answers them.",
        )


def _asked_before(document: Document, first: dict[str, str]) -> Iterator[Fault]:
    """Questions that were asked already; `first` holds where, and is added to."""
    pointed = ((one.heading, (one.question,)) for one in document.pointed)
    for heading, questions in (*document.asks, *pointed):
        place = f"{document.path} › {heading or document.title}"
        for question in questions:
            key = one_line(question).casefold().replace("’", "'").rstrip("?. ")
            if key in first:
                yield Fault(
                    words=question,
                    message=f"“{question}” is asked under {first[key]} too.",
                    hint="Ask for what only this section answers.",
                )
            first.setdefault(key, place)
