"""The check of support on the pairs that were written for it, over the library that ships."""

from collections import Counter
from pathlib import Path

import pytest

from assistant.remembered import Remembered
from assistant.support import SupportCheck
from assistant.support_evaluation import Checked, check_pairs, load_pairs, main, rows_of, table
from corpus.errors import ExpectedError
from index.embeddings import Embedder

PAIRS = Path(__file__).parent / "data" / "support_pairs.jsonl"
LIBRARY = Path(__file__).parent.parent / "corpus" / "texts"
WRONG = (
    "number changed",
    "date changed",
    "name swapped",
    "negated",
    "true but other passage",
    "unsupported addition",
)


@pytest.fixture(scope="module")
def checked(embedder: Embedder) -> tuple[Checked, ...]:
    return check_pairs(load_pairs(PAIRS), LIBRARY, SupportCheck(Remembered(embedder)))


def test_the_pairs_are_many_of_every_kind() -> None:
    pairs = load_pairs(PAIRS)
    kinds = Counter(pair.kind for pair in pairs)
    assert len(pairs) >= 300
    assert len({pair.id for pair in pairs}) == len(pairs)
    assert set(kinds) == {"supported", *WRONG}
    assert kinds["supported"] >= 100
    assert all(kinds[kind] >= 35 for kind in WRONG)
    assert all(pair.supported == (pair.kind == "supported") for pair in pairs)


def test_no_statement_stands_in_both_halves() -> None:
    pairs = load_pairs(PAIRS)
    dev = {pair.statement for pair in pairs if pair.split == "dev"}
    assert not [pair.id for pair in pairs if pair.split == "held" and pair.statement in dev]


@pytest.mark.parametrize("kind", ["number changed", "date changed"])
def test_no_changed_number_or_date_passes(checked: tuple[Checked, ...], kind: str) -> None:
    assert [one.pair.id for one in checked if one.pair.kind == kind and not one.right] == []


def test_what_is_called_supported_mostly_is(checked: tuple[Checked, ...]) -> None:
    for half, least in (("dev", 0.9), ("held", 0.85)):
        called = [one for one in checked if one.pair.split == half and one.support.supported]
        assert sum(one.right for one in called) >= least * len(called)


def test_most_true_paraphrases_pass(checked: tuple[Checked, ...]) -> None:
    shares = {row.half: row.right for row in rows_of(checked) if row.kind == "supported"}
    assert shares["dev"] >= 0.8
    assert shares["held"] >= 0.7


def test_the_quote_is_an_exact_piece_of_the_passage(checked: tuple[Checked, ...]) -> None:
    for one in checked:
        passage, sentence = one.support.passage, one.support.sentence
        assert passage is not None and sentence is not None
        assert passage.start <= sentence.start < sentence.end <= passage.end
        assert passage.sentence_text(sentence) in passage.text


def test_the_table_has_a_row_for_each_kind_of_each_half(checked: tuple[Checked, ...]) -> None:
    text = table(checked)
    for half in ("development", "held out"):
        for kind in ("supported", *WRONG, "all"):
            assert f"| {half} | {kind} |" in text


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    file = tmp_path / "pairs.jsonl"
    file.write_text('{"id": "a"}\n', encoding="utf-8")
    with pytest.raises(ExpectedError, match="line 1"):
        load_pairs(file)


def test_a_quote_from_elsewhere_is_named(tmp_path: Path, embedder: Embedder) -> None:
    line = PAIRS.read_text(encoding="utf-8").splitlines()[0]
    file = tmp_path / "pairs.jsonl"
    file.write_text(line.replace('"quote": "', '"quote": "Nowhere. '), encoding="utf-8")
    with pytest.raises(ExpectedError, match="0 passages"):
        check_pairs(load_pairs(file), LIBRARY, SupportCheck(embedder))


def test_the_command_says_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nowhere.jsonl"]) == 2
    assert main(["nowhere.jsonl", str(LIBRARY)]) == 2
    assert "nowhere.jsonl can't be read" in capsys.readouterr().err
