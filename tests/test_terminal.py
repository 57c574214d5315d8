"""Answers, tables and errors as a terminal shows them."""

import pytest

from assistant.answers import AbstentionKind, Answer, Citation, Evidence, Statement
from assistant.terminal import Screen, excerpt
from corpus.documents import Document, Notice, Passage, Section, Sentence
from corpus.errors import ExpectedError
from index.retrieval import Hit

TEXT = (
    "The mill wheel turns whenever the river stands above the second mark of the gauge, which "
    "happens on about two hundred days of a year.\x1b[31m It is oiled every spring."
)
NOTICE = "This text was written by a machine."


def source(text: str = TEXT) -> tuple[Document, Passage]:
    document = Document(
        id="mill-1",
        title="The mill\x1b]0;owned\x07 by the river",
        kind="article",
        path="mill.txt",
        text=text,
        sections=(Section(heading="", level=0, path=(), start=0, end=len(text), blocks=()),),
        digest="0",
        published="2021-05-01",
        notices=(Notice(kind="ai-generated", text=NOTICE),),
    )
    passage = Passage(
        id="mill-1-abc-0",
        document_id="mill-1",
        heading=("Wheels", "Care"),
        text=text,
        start=0,
        end=len(text),
        sentences=(Sentence(start=0, end=len(text)),),
    )
    return document, passage


def answered(text: str = TEXT) -> Answer:
    document, passage = source(text)
    citation = Citation(
        number=1, document=document, passage=passage, quote=text, start=0, end=len(text)
    )
    return Answer(
        question="When does it turn?",
        standalone_question="When does the mill wheel turn?",
        text=f"{text} [1]",
        statements=(Statement(text=text, citations=(1,), supported=True, support=1.0),),
        citations=(citation,),
        notices=("All sources were written by a machine.",),
        followups=("How often is the wheel oiled?",),
    )


def refused() -> Answer:
    document, passage = source()
    return Answer(
        question="Who owns it?",
        standalone_question="Who owns it?",
        text="The library does not answer this.",
        abstention=AbstentionKind.NO_EVIDENCE,
        nearest=(Evidence(hit=Hit(passage=passage, score=0.2, rank=1), document=document),),
    )


@pytest.mark.parametrize("width", [50, 80, 120])
def test_an_answer_says_all_it_rests_on(width: int, capsys: pytest.CaptureFixture[str]) -> None:
    Screen(width=width).answer(answered())
    shown = capsys.readouterr().out
    assert max(len(line) for line in shown.splitlines()) <= width
    assert all(line == line.rstrip() for line in shown.splitlines())
    joined = " ".join(shown.split())
    for part in (
        "Understood as: When does the mill wheel turn?",
        "Notice: All sources were written by a machine.",
        "[1] The mill wheel turns",
        "days of a year.[31m It is oiled every spring.",
        "The mill]0;owned by the river",
        "[1] Wheels › Care",
        "article · 2021-05-01 · mill.txt",
        NOTICE,
        "passage mill-1-abc-0",
        "1 of 1 quotation found word for word",
        "How often is the wheel oiled?",
    ):
        assert part in joined


def test_no_control_character_reaches_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen(width=80)
    screen.answer(answered())
    screen.answer(refused())
    screen.error(ExpectedError("bad \x1b[2J file", "rename \x07 it"))
    screen.table("t\x1b", ("a",), [["\x1b[1m"]])
    captured = capsys.readouterr()
    assert not set(captured.out + captured.err) & set(map(chr, [*range(10), *range(11, 32), 127]))


def test_a_refusal_shows_what_stands_closest(capsys: pytest.CaptureFixture[str]) -> None:
    Screen(width=80).answer(refused())
    shown = capsys.readouterr().out
    assert shown.startswith("The library does not answer this.")
    assert "Closest in the library" in shown
    assert "Sources" not in shown
    assert "word for word" not in shown


def test_items_of_a_list_stand_under_their_own_text(capsys: pytest.CaptureFixture[str]) -> None:
    listed = "Tools are:\n• an oil can with a long spout, kept below the stairs of the mill\n• rags"
    Screen(width=50).answer(answered(listed))
    lines = capsys.readouterr().out.splitlines()
    first = lines.index("    • an oil can with a long spout, kept below the")
    assert lines[first + 1] == "      stairs of the mill"
    assert "[1] • rags" in lines
    assert "    Tools are:" in lines


def test_errors_go_to_their_own_stream(capsys: pytest.CaptureFixture[str]) -> None:
    Screen(errors=True).error(ExpectedError("It broke.", "Mend it."))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "Error: It broke.\nWhat to do: Mend it.\n"


def test_a_long_error_is_not_broken_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    Screen(errors=True, width=40).error(ExpectedError("word " * 30 + "end.", ""))
    assert capsys.readouterr().err.count("\n") == 1


def test_progress_counts(capsys: pytest.CaptureFixture[str]) -> None:
    with Screen(errors=True, width=80).progress() as progress:
        progress("reading", 0, 3)
        progress("reading", 3, 3)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Reading" in captured.err
    assert "3/3" in captured.err


def test_an_excerpt_ends_at_a_word() -> None:
    assert excerpt("short  one") == "short one"
    assert excerpt("alpha beta, gamma", 14) == "alpha beta …"
