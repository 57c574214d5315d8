"""How good the check of support is: sentence–passage pairs in, a table out.

Owns the format of the pairs, the run and its figures. Run by `make support`, or
`python -m assistant.support_evaluation PAIRS LIBRARY`. Knows nothing of how support is judged.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from assistant.remembered import Remembered
from assistant.support import Support, SupportCheck
from corpus.documents import Document, Passage
from corpus.errors import ExpectedError
from corpus.library import scan
from corpus.reading import read_document
from corpus.splitting import split
from index.embeddings import load_embedder

_HINT = (
    "Write one JSON object a line with id, split, kind, statement, document, quote and supported."
)
Half = Literal["dev", "held"]
_HALVES: dict[Half, str] = {"dev": "development", "held": "held out"}


class Pair(BaseModel):
    """A sentence as a model may write it, and the passage that its marker names.

    `quote` is an exact piece of that passage; `split` is "dev" for pairs that rules and
    thresholds may be learned from, "held" for those they may not.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    split: Half
    kind: str
    statement: str
    document: str
    quote: str
    supported: bool


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A pair with the verdict on it."""

    pair: Pair
    support: Support

    @property
    def right(self) -> bool:
        """Whether the verdict is the pair's own."""
        return self.pair.supported == self.support.supported


@dataclass(frozen=True, kw_only=True)
class Row:
    """The figures of one kind of pair in one half; shares are 0…1.

    `right` is the share judged rightly: the recall of its kind. `precision` is that of
    "supported" where the supported pairs of the half and this kind alone are judged, None
    for a kind that is supported itself.
    """

    half: Half
    kind: str
    pairs: int
    passed: int
    right: float
    precision: float | None


def load_pairs(path: Path) -> tuple[Pair, ...]:
    """Read a file of pairs. Raises `ExpectedError` that names the file and the wrong line."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ExpectedError(f"{path} can't be read.", _HINT) from error
    pairs = []
    for number, line in enumerate(lines, start=1):
        try:
            pairs.append(Pair.model_validate_json(line))
        except ValidationError as error:
            raise ExpectedError(f"{path}, line {number} can't be used.", _HINT) from error
    return tuple(pairs)


def check_pairs(pairs: Sequence[Pair], library: Path, check: SupportCheck) -> tuple[Checked, ...]:
    """The verdict on each pair, over the files of `library`.

    Raises `ExpectedError` for a quote that is not in exactly one passage of its document.
    """
    sources = {source.path: source for source in scan(library)}
    read: dict[str, tuple[Document, tuple[Passage, ...]]] = {}
    checked = []
    for pair in pairs:
        if pair.document not in read:
            if pair.document not in sources:
                raise ExpectedError(f"{pair.id}: there is no document {pair.document}.", _HINT)
            document = read_document(sources[pair.document], library)
            read[pair.document] = (document, split(document))
        document, passages = read[pair.document]
        holding = [passage for passage in passages if pair.quote in passage.text]
        if len(holding) != 1:
            raise ExpectedError(f"{pair.id}: its quote is in {len(holding)} passages.", _HINT)
        support = check.check(pair.statement, holding, titles={document.id: document.title})
        checked.append(Checked(pair=pair, support=support))
    return tuple(checked)


def rows_of(checked: Sequence[Checked]) -> tuple[Row, ...]:
    """The figures by half and kind, supported pairs first."""
    rows = []
    for half in _HALVES:
        here = [one for one in checked if one.pair.split == half]
        true = sum(one.support.supported for one in here if one.pair.supported)
        kinds = dict.fromkeys(
            one.pair.kind for one in sorted(here, key=lambda one: not one.pair.supported)
        )
        for kind in kinds:
            of_kind = [one for one in here if one.pair.kind == kind]
            passed = sum(one.support.supported for one in of_kind)
            is_true = of_kind[0].pair.supported
            rows.append(
                Row(
                    half=half,
                    kind=kind,
                    pairs=len(of_kind),
                    passed=passed,
                    right=sum(one.right for one in of_kind) / len(of_kind),
                    precision=None if is_true else true / max(1, true + passed),
                )
            )
    return tuple(rows)


def table(checked: Sequence[Checked]) -> str:
    """The figures as a Markdown table, with the precision over all kinds of each half."""
    lines = [
        "| half | kind | pairs | called supported | judged rightly | precision against it |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for row in rows_of(checked):
        precision = "" if row.precision is None else f"{row.precision:.1%}"
        lines.append(
            f"| {_HALVES[row.half]} | {row.kind} | {row.pairs} | {row.passed} |"
            f" {row.right:.1%} | {precision} |"
        )
    for half, name in _HALVES.items():
        called = [one for one in checked if one.pair.split == half and one.support.supported]
        share = sum(one.right for one in called) / max(1, len(called))
        lines.append(f"| {name} | all | | {len(called)} | | {share:.1%} |")
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Write the table for a file of pairs over a library; 2 when something is missing."""
    try:
        if len(arguments) != 2:
            raise ExpectedError("A file of pairs and the folder of the library are needed.", _HINT)
        pairs = load_pairs(Path(arguments[0]))
        checked = check_pairs(pairs, Path(arguments[1]), SupportCheck(Remembered(load_embedder())))
    except ExpectedError as error:
        sys.stderr.write(f"{error}\n{error.hint}\n")
        return 2
    sys.stdout.write(f"{table(checked)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
