"""Search by words: what counts as a term, and that a saved index answers as before."""

import threading

import numpy as np
import pytest

from index.errors import IndexDamaged
from index.lexical import Lexical, terms

PAIRS = [
    ("a", "Reviews of states\nEvery state is reviewed in turn. The state's answer follows."),
    ("b", "Harbour\nA boat without a lamp must leave."),
    ("c", "…"),
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Reviewing the reviewed reviews", ["review", "review", "review"]),
        ("What does it say on Article 6?", ["say", "articl", "6"]),
        ("The WHO and the US reported", ["who", "us", "report"]),
        ("WHO IS IT", []),
        ("the state\u2019s, the state's", ["state", "state"]),
        ("Côte d\u2019Ivoire", ["cote", "d'ivoir"]),
        ("ﬁle ２０", ["file", "20"]),
        ("A/HRC/47/5", ["hrc", "47", "5"]),
        ("", []),
        ("\u200b \ud800 !?", []),
    ],
)
def test_terms(text, expected):
    assert terms(text) == expected


def test_scores_follow_the_passages():
    lexical = Lexical.build(PAIRS)
    assert lexical.passage_ids == ("a", "b", "c")
    scores = lexical.scores("How are states reviewed?")
    assert scores[0] > 0 and not scores[1:].any()
    assert not lexical.scores("of the").any() and not lexical.scores("zebra").any()
    assert (lexical.frequency("state"), lexical.frequency("zebra")) == (1, 0)


def test_a_saved_index_answers_the_same(tmp_path):
    lexical = Lexical.build(PAIRS)
    lexical.save(tmp_path / "lexical")
    loaded = Lexical.load(tmp_path / "lexical")
    assert loaded.passage_ids == lexical.passage_ids
    for text in ("state", "boat lamp", "nothing here"):
        assert np.array_equal(loaded.scores(text), lexical.scores(text))
    assert loaded.frequency("lamp") == 1


@pytest.mark.parametrize("name", ["passage_ids.txt", "vocab.index.json", "data.csc.index.npy"])
def test_an_index_without_a_file_is_refused(tmp_path, name):
    Lexical.build(PAIRS).save(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(IndexDamaged):
        Lexical.load(tmp_path)


def test_passages_without_any_term():
    lexical = Lexical.build([("a", "of the")])
    assert lexical.scores("of the boats").tolist() == [0.0]


def test_threads_may_share_it():
    lexical = Lexical.build(PAIRS)
    expected = lexical.scores("every state reviewed").tolist()
    seen = []

    def search() -> None:
        seen.extend(lexical.scores("every state reviewed").tolist() == expected for _ in range(200))

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 800 and all(seen)
