"""The figures of an evaluation, on answers and passages made by hand with known outcomes."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assistant.answers import AbstentionKind, Answer, Citation, Statement
from assistant.evaluation import (
    Evaluation,
    PlainDense,
    Trial,
    assess,
    best_threshold,
    evaluate,
    figures,
)
from assistant.questions_file import Gold, Question, load_questions
from assistant.report_page import report_html
from assistant.reports import About, failures, interval, report_json, shown, write_report
from assistant.scoring import (
    Place,
    Ranked,
    exact_quotes,
    file_words,
    found_at,
    holds,
    locate,
    missing_from,
    shown_text,
)
from assistant.standing import ABOVE, Standing
from corpus.documents import Block, Document, Notice, Passage, Section, Sentence, passage_id
from corpus.errors import ExpectedError
from index.catalogue import Catalogue
from index.retrieval import Hit

PIECES = (
    "Rivers are measured in spring. The state’s gauge stands at the mill.",
    "Bridges are inspected every six years, and after each flood.",
    "Ferries run from May to October. They carry no lorries.",
)


def make_document(
    path: str = "water.txt", notice: str = ""
) -> tuple[Document, tuple[Passage, ...]]:
    text = "\n\n".join(PIECES)
    starts = [text.index(piece) for piece in PIECES]
    ends = [start + len(piece) for start, piece in zip(starts, PIECES, strict=True)]
    name = Path(path).stem
    blocks = tuple(
        Block(kind="paragraph", start=start, end=end)
        for start, end in zip(starts, ends, strict=True)
    )
    section = Section(heading="", level=0, path=(), start=0, end=len(text), blocks=blocks)
    document = Document(
        id=name,
        title=name.title(),
        kind="article",
        path=path,
        text=text,
        sections=(section,),
        digest="0",
        notices=(Notice(kind="ai-generated", text=notice),) if notice else (),
    )
    passages = tuple(
        Passage(
            id=passage_id(name, piece, 0),
            document_id=name,
            heading=(),
            text=piece,
            start=start,
            end=end,
            sentences=(Sentence(start=start, end=end),),
        )
        for piece, start, end in zip(PIECES, starts, ends, strict=True)
    )
    return document, passages


def ranked(passages: tuple[Passage, ...], *order: int) -> tuple[Ranked, ...]:
    return tuple(
        Ranked(passage=passages[number], score=0.9 - 0.1 * rank)
        for rank, number in enumerate(order)
    )


def make_answer(document: Document, passage: Passage, quote: str) -> Answer:
    start = document.text.index(quote)
    citation = Citation(
        number=1,
        document=document,
        passage=passage,
        quote=quote,
        start=start,
        end=start + len(quote),
    )
    statement = Statement(text=quote, citations=(1,), supported=True, support=1.0)
    return Answer(
        question="q",
        standalone_question="q",
        text=f"{quote} [1]",
        statements=(statement,),
        citations=(citation,),
    )


def refusal(text: str = "The library does not answer this.") -> Answer:
    return Answer(
        question="q",
        standalone_question="q",
        text=text,
        abstention=AbstentionKind.NO_EVIDENCE,
    )


def question(**fields: object) -> Question:
    return Question.model_validate({"id": "q-1", "type": "fact", "question": "q", **fields})


class Letters:
    """Counts a few letters of a text: vectors that a reader can check."""

    def encode(self, texts: list[str]) -> np.ndarray:
        rows = np.array([[1 + text.lower().count(letter) for letter in "bfr"] for text in texts])
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


class Scripted:
    """An asker whose answers and hits are written down beforehand."""

    def __init__(self, answers: dict[str, Answer], hits: list[Hit]) -> None:
        self.answers = answers
        self.hits = hits
        self.seen: list[tuple[str, int]] = []

    def answer(self, question: str, turns: object) -> Answer:
        self.seen.append((question, len(turns)))  # type: ignore[arg-type]
        return self.answers[question]

    def find(self, question: str, turns: object, limit: int) -> list[Hit]:
        return self.hits[:limit]


def test_gold_is_located_whatever_its_apostrophes() -> None:
    document, _ = make_document()
    place = locate(Gold(file="water.txt", quote="The state's gauge"), {"water": document})
    assert place is not None
    assert document.text[place.start : place.end] == "The state’s gauge"
    assert locate(Gold(file="other.txt", quote="The state's gauge"), {"water": document}) is None
    assert locate(Gold(file="water.txt", quote="no such words"), {"water": document}) is None


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0, 68, True),
        (0, 10, True),
        (60, 76, False),
        (58, 76, True),
        (59, 77, False),
        (70, 90, False),
    ],
)
def test_more_than_half_of_the_gold_must_be_inside(start: int, end: int, expected: bool) -> None:
    _, passages = make_document()
    assert (passages[0].start, passages[0].end) == (0, 68)
    assert holds(passages[0], Place(document_id="water", start=start, end=end)) is expected


def test_gold_in_another_document_is_not_held() -> None:
    _, passages = make_document()
    assert not holds(passages[0], Place(document_id="land", start=0, end=68))


def test_any_takes_the_first_and_all_the_last() -> None:
    document, passages = make_document()
    places = [
        locate(Gold(file="water.txt", quote=quote), {"water": document})
        for quote in ("Bridges are inspected", "Ferries run")
    ]
    order = ranked(passages, 0, 2, 1)
    assert found_at(order, places, "any") == 2
    assert found_at(order, places, "all") == 3
    assert found_at(order[:2], places, "all") is None
    assert found_at(order, [*places, None], "all") is None
    assert found_at(order, [], "any") is None


def test_every_entry_has_to_be_said_in_one_of_its_wordings() -> None:
    asked = question(must_include=["SIX", ["flood", "storm"], ["state's"]])
    assert missing_from("Every six years and after a storm.", asked) == (("state's",),)
    assert missing_from("six; flood; the state’s", asked) == ()


def test_a_marker_is_not_part_of_what_is_said() -> None:
    document, passages = make_document()
    answer = make_answer(document, passages[1], PIECES[1])
    assert missing_from(shown_text(answer, []), question(must_include=["1"]))


def test_a_notice_counts_only_where_it_is_asked_for() -> None:
    notice = "Written with artificial intelligence."
    document, passages = make_document(notice=notice)
    catalogue = Catalogue([(document, passages)])
    hits = [Hit(passage=passages[2], score=0.5, rank=1)]
    answer = make_answer(document, passages[2], "They carry no lorries.")
    wanted = {"must_include": ["artificial intelligence"], "gold_mode": "any"}
    provenance = question(
        gold=[{"file": "water.txt", "quote": "Written with artificial intelligence"}], **wanted
    )
    trial = assess(provenance, answer, hits, catalogue, lambda path: None)
    assert trial.right
    assert trial.rank == 1
    other = question(gold=[{"file": "water.txt", "quote": "They carry no lorries"}], **wanted)
    assert not assess(other, answer, hits, catalogue, lambda path: None).right


def test_a_refusal_is_right_only_where_one_is_expected() -> None:
    document, passages = make_document()
    catalogue = Catalogue([(document, passages)])
    answer = make_answer(document, passages[1], PIECES[1])

    def right(asked: Question, given: Answer) -> bool:
        return assess(asked, given, [], catalogue, lambda path: None).right

    assert right(question(expect="abstain"), refusal())
    assert not right(question(expect="abstain"), answer)
    assert right(question(must_include=["six years"]), answer)
    assert not right(question(must_include=["six years"]), refusal("not six years"))
    assert not right(question(must_include=["six"], must_not_include=["FLOOD"]), answer)


def test_what_is_set_apart_counts_and_is_told_from_the_answer() -> None:
    document, passages = make_document()
    catalogue = Catalogue([(document, passages)])
    answer = make_answer(document, passages[1], PIECES[1])
    apart = replace(answer, text=f"{ABOVE[Standing.FURTHER]}\n\n{answer.text}")
    for given, at_once in ((answer, True), (apart, False)):
        trial = assess(question(must_include=["six years"]), given, [], catalogue, lambda _: None)
        assert (trial.right, trial.at_once) == (True, at_once)
    refused = assess(question(expect="abstain"), refusal(), [], catalogue, lambda _: None)
    assert refused.at_once


def test_answers_that_are_certain_are_counted_by_themselves() -> None:
    document, passages = make_document()
    catalogue = Catalogue([(document, passages)])
    clear = make_answer(document, passages[1], PIECES[1])
    unclear = replace(
        clear, statements=tuple(replace(s, standing=Standing.UNCLEAR) for s in clear.statements)
    )
    trials = [
        assess(question(must_include=[words]), answer, [], catalogue, lambda _: None)
        for answer, words in (
            (clear, "six years"),
            (clear, "seven years"),
            (unclear, "six years"),
            (unclear, "six years"),
            (refusal(), "six years"),
        )
    ]
    counted = figures(trials)
    assert (counted.certain, counted.certain_right, counted.at_once) == (0.5, 0.5, 0.6)


def test_a_quote_is_exact_when_the_file_says_it(tmp_path: Path) -> None:
    document, passages = make_document()
    file = tmp_path / "water.txt"
    file.write_text("\n\n".join(PIECES).replace(" ", "\n", 3), encoding="utf-8")
    answer = make_answer(document, passages[0], "The state’s gauge stands at the mill.")
    assert exact_quotes(answer, lambda path: file_words(tmp_path / path)) == (True,)
    file.write_text("The gauge of the state stands at the mill.", encoding="utf-8")
    assert exact_quotes(answer, lambda path: file_words(tmp_path / path)) == (False,)


def test_words_of_files_in_other_formats(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("See [the **mill**](https://example.org/x).", encoding="utf-8")
    (tmp_path / "b.txt").write_bytes("Caf\xe9".encode("latin-1"))
    (tmp_path / "c.pdf").write_bytes(b"%PDF-1.4")
    assert file_words(tmp_path / "a.md") == "see the mill"
    assert file_words(tmp_path / "b.txt") == "café"
    assert file_words(tmp_path / "c.pdf") is None


def test_the_plain_retriever_ranks_by_cosine() -> None:
    document, passages = make_document()
    plain = PlainDense(Catalogue([(document, passages)]), Letters())
    found = plain.retrieve("bbbbb", limit=2)
    assert found[0].passage.id == passages[1].id
    assert len(found) == 2
    assert 1 >= found[0].score >= found[1].score >= 0


def test_the_best_threshold_separates_what_can_be_separated() -> None:
    pairs = [(0.2, False), (0.3, False), (0.5, True), (0.9, True)]
    threshold = best_threshold(pairs)
    assert 0.3 < threshold <= 0.5
    assert best_threshold([(0.4, True), (0.5, True)]) == 0.0


def outcomes(tmp_path: Path) -> Evaluation:
    """Four questions: right, found too late and incomplete, refused well, answered badly."""
    document, passages = make_document()
    (tmp_path / "water.txt").write_text(document.text, encoding="utf-8")
    answer = make_answer(document, passages[1], PIECES[1])
    scripted = Scripted(
        {"a": answer, "b": answer, "c": refusal(), "d": answer},
        [Hit(passage=passages[n], score=0.8 - n / 10, rank=r) for r, n in enumerate((1, 0, 2), 1)],
    )
    bridges = {"file": "water.txt", "quote": "Bridges are inspected every six years"}
    ferries = {"file": "water.txt", "quote": "Ferries run from May to October."}
    asked = (
        question(id="a", question="a", gold=[bridges], must_include=["six years"]),
        question(
            id="b",
            question="b",
            gold=[bridges, ferries],
            gold_mode="all",
            must_include=["six years", "October"],
            history=[{"role": "user", "content": "<b>before</b>"}],
        ),
        question(id="c", type="unanswerable", question="c", expect="abstain"),
        question(id="d", type="unanswerable", question="d", expect="abstain"),
    )
    plain = PlainDense(Catalogue([(document, passages)]), Letters())
    steps: list[tuple[int, int]] = []
    evaluation = evaluate(
        asked, scripted, plain, tmp_path, lambda stage, done, total: steps.append((done, total))
    )
    assert scripted.seen == [("a", 0), ("b", 1), ("c", 0), ("d", 0)]
    assert steps[-1] == (4, 4)
    return evaluation


def test_the_figures_of_known_outcomes(tmp_path: Path) -> None:
    evaluation = outcomes(tmp_path)
    found = figures(evaluation.ours)
    assert found.recall == {1: 0.5, 3: 1.0, 5: 1.0, 10: 1.0}
    assert found.mrr == pytest.approx((1 + 1 / 3) / 2)
    assert (found.to_answer, found.accuracy) == (2, 0.5)
    assert (found.abstained, found.abstention_precision, found.abstention_recall) == (1, 1.0, 0.5)
    assert (found.quotes, found.exact) == (3, 1.0)
    assert found.right == 2
    assert evaluation.types == ("fact", "unanswerable")
    assert [trial.question.id for trial in failures(evaluation)] == ["d", "b"]


def test_nothing_counted_gives_no_figure() -> None:
    empty: list[Trial] = []
    found = figures(empty)
    assert found.mrr is None
    assert found.accuracy is None
    assert set(found.recall.values()) == {None}
    assert shown(None) == "–"
    assert shown(0.9999) == "0.99"
    assert interval(None, 0) is None


def test_the_interval_is_wilsons() -> None:
    # Worked out by hand for 8 of 10.
    low, high = interval(0.8, 10) or (0, 0)
    assert low == pytest.approx(0.490, abs=0.001)
    assert high == pytest.approx(0.943, abs=0.001)


def test_the_report_is_whole_and_loads_nothing(tmp_path: Path) -> None:
    evaluation = outcomes(tmp_path)
    about = About(
        questions="q.jsonl",
        library="lib",
        documents=1,
        passages=3,
        embedding_model="letters",
        generation="gen-000001",
        version="0",
    )
    page = report_html(evaluation, about)
    assert page.count("<svg") == 3
    assert "&lt;b&gt;before&lt;/b&gt;" in page
    assert "<b>before</b>" not in page
    for loading in ("src=", "<link", "@import", "url(http", 'href="http', "fetch("):
        assert loading not in page
    files = write_report(report_json(evaluation, about), page, tmp_path / "out" / "reports")
    data = json.loads(files[0].read_text(encoding="utf-8"))
    assert data["figures"]["all"]["ours"]["recall"]["1"] == 0.5
    assert [one["id"] for one in data["questions"]] == ["a", "b", "c", "d"]
    assert data["questions"][1]["missing"] == [["October"]]
    assert files[1].read_text(encoding="utf-8") == page
    assert str(tmp_path) not in files[0].read_text(encoding="utf-8")


def test_a_report_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ExpectedError, match="can't be written"):
        write_report({}, "", tmp_path / "file")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 2"),
        ('{"id": "a", "question": "q"}', "type"),
        ('{"id": "a", "type": "t", "question": "q", "expect": "maybe"}', "expect"),
        ('{"id": "first", "type": "t", "question": "q"}', "stands twice"),
    ],
)
def test_a_broken_question_file_names_the_line(tmp_path: Path, line: str, said: str) -> None:
    file = tmp_path / "q.jsonl"
    first = '{"id": "first", "type": "t", "question": "q", "must_include": ["a", ["b", "c"]]}'
    file.write_text(f"{first}\n{line}\n", encoding="utf-8")
    with pytest.raises(ExpectedError, match=said):
        load_questions(file)
    file.write_text(f"\ufeff{first}\n\n", encoding="utf-8")
    assert load_questions(file)[0].must_include == (("a",), ("b", "c"))


def test_an_absent_or_empty_question_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(ExpectedError, match="can't be read"):
        load_questions(tmp_path / "none.jsonl")
    (tmp_path / "empty.jsonl").write_text("\n")
    with pytest.raises(ExpectedError, match="holds no question"):
        load_questions(tmp_path / "empty.jsonl")
