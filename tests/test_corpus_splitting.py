"""Passages and sentences: offsets that always hold, lists kept whole, sentences cut rightly."""

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpus.documents import Document
from corpus.errors import UnreadableFile
from corpus.loaders import load
from corpus.outline import Piece, assemble
from corpus.sentences import sentence_spans
from corpus.splitting import LONGEST_PARAGRAPH, split

WORDS = str.split(
    "Rights states report each year on measures taken and treaty bodies reply to them"
)


def document(*pieces: Piece, asks: tuple[tuple[str, tuple[str, ...]], ...] = ()) -> Document:
    text, sections = assemble(pieces)
    return Document(
        id="d", title="T", kind="document", path="d.txt", text=text, sections=sections,
        digest="0", asks=asks,
    )  # fmt: skip


def paragraph(words: int, stop: str = ".") -> Piece:
    body = " ".join(WORDS[place % len(WORDS)] for place in range(words))
    return Piece(kind="paragraph", text=body + stop)


def item(text: str, opens: bool = False) -> Piece:
    return Piece(kind="item", text=text, opens_list=opens)


def heading(text: str, level: int = 1) -> Piece:
    return Piece(kind="heading", text=text, level=level)


def check(checked: Document) -> None:
    """Every promise about offsets, ids and order."""
    passages = split(checked)
    assert len({passage.id for passage in passages}) == len(passages)
    reached = 0
    for passage in passages:
        assert passage.start >= reached
        assert checked.text[passage.start : passage.end] == passage.text == passage.text.strip()
        assert passage.text
        inside = passage.start
        for sentence in passage.sentences:
            assert inside <= sentence.start < sentence.end <= passage.end
            words = checked.text[sentence.start : sentence.end]
            assert passage.sentence_text(sentence) == words == words.strip()
            inside = sentence.end
        reached = passage.end


pieces = st.lists(
    st.one_of(
        st.builds(
            Piece,
            kind=st.just("heading"),
            text=st.text(min_size=1, max_size=30),
            level=st.integers(1, 4),
        ),
        st.builds(
            Piece, kind=st.just("paragraph"), text=st.text(alphabet='aB .!?…"”)1\n é', max_size=300)
        ),
        st.builds(
            Piece,
            kind=st.just("item"),
            text=st.sampled_from(["• ", "- ", "1. ", "(a) ", ""]).flatmap(
                lambda marker: st.text(max_size=40).map(lambda words: marker + words)
            ),
            opens_list=st.booleans(),
        ),
        st.integers(1, 900).map(paragraph),
    ),
    max_size=12,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pieces)
def test_offsets_hold_for_any_outline(generated: list[Piece]) -> None:
    check(document(*generated))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=600), st.sampled_from(["txt", "md"]))
def test_offsets_hold_for_any_text(text: str, suffix: str) -> None:
    try:
        loaded = load(f"a.{suffix}", text.encode())
    except UnreadableFile:
        return
    check(loaded)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=400))
def test_sentences_cover_every_word(text: str) -> None:
    spans = list(sentence_spans(text))
    assert "".join("".join(text[a:b].split()) for a, b in spans) == "".join(text.split())
    assert all(b <= c for (_, b), (c, _) in pairwise(spans))


@pytest.mark.parametrize(
    "sentences",
    [
        ["See No. 31 of the General Comment.", "It says so."],
        ["Art. 5 of the Covenant applies.", "Para. 5(e) does too."],
        ["The U.N. General Assembly met.", "The U.S. Senate did not."],
        [
            "Resolution 5/1, para. 5(e), covers e.g. torture, i.e. the worst.",
            "See A/HRC/RES/16/21.",
        ],
        ["“We will go.”", "She left."],
        ['"Why?" he asked.', "Nobody knew."],
        ["He waited… and left.", "He came back…", "Then he spoke."],
        ["It began in 1948.", "In 2006, it ended."],
        ["Mr. J. Smith agreed.", "Dr. Ban did too!"],
        ["It was adopted (G.A. Res. 217 A (III)).", "Much followed."],
        ["The vote was 47 to 0.", "Abstentions: 3."],
        ["He is a member of the U.N.", "The council voted."],
        ["1. The Council shall act.", "2. It may meet."],
        ["He said no.", "The council met."],
        ["It is so.[1]", "The next one follows."],
    ],
)
def test_where_sentences_end(sentences: list[str]) -> None:
    text = " ".join(sentences)
    assert [text[start:end] for start, end in sentence_spans(text)] == sentences


def test_a_list_stays_whole_with_its_lead_in() -> None:
    items = [item(f"• point {n} " + "and more words " * 8, opens=n == 0) for n in range(12)]
    checked = document(
        heading("Aims"), paragraph(90), paragraph(12, ":"), *items, paragraph(20), paragraph(20)
    )
    check(checked)
    whole = [passage for passage in split(checked) if "point 0" in passage.text]
    assert len(whole) == 1
    assert "point 11" in whole[0].text
    assert whole[0].text.startswith(paragraph(12, ":").text)
    listed = [sentence for sentence in whole[0].sentences if sentence.is_item]
    assert len(listed) == 12
    assert whole[0].sentence_text(listed[0]).startswith("point 0")


def test_passages_never_cross_a_heading_and_reference_sections_give_none() -> None:
    checked = document(
        paragraph(10),
        heading("Work"),
        paragraph(10),
        heading("Sources"),
        paragraph(10),
        heading("Printed", 2),
        paragraph(10),
        heading("See also"),
        item("- other.md", opens=True),
    )
    check(checked)
    assert [passage.heading for passage in split(checked)] == [(), ("Work",)]
    assert "other.md" in checked.text


def test_long_paragraphs_are_cut_between_sentences() -> None:
    sentence = " ".join(WORDS) + "."
    checked = document(Piece(kind="paragraph", text=" ".join([sentence] * 60)), paragraph(1000, ""))
    check(checked)
    passages = split(checked)
    assert all(len(passage.text.split()) <= LONGEST_PARAGRAPH for passage in passages)
    assert all(passage.text.endswith(".") for passage in passages[:5])


def test_same_words_twice_have_two_ids_that_do_not_move() -> None:
    first = split(document(heading("A"), paragraph(20), heading("B"), paragraph(20)))
    moved = split(document(paragraph(30), heading("A"), paragraph(20), heading("B"), paragraph(20)))
    assert [passage.id for passage in first] == [passage.id for passage in moved[1:]]
    assert len({passage.id for passage in first}) == 2


def test_questions_go_to_the_passage_that_shares_most_words() -> None:
    about_fees = Piece(kind="paragraph", text="Harbour fees are paid yearly. " * 22)
    about_ships = Piece(kind="paragraph", text="Wooden ships carry amber north. " * 22)
    passages = split(
        document(
            heading("Trade"),
            about_fees,
            about_ships,
            asks=(("Trade", ("Which ships carry amber?", "Who pays fees?", "Why?")),),
        )
    )
    assert [passage.asks for passage in passages] == [
        ("Who pays fees?", "Why?"),
        ("Which ships carry amber?",),
    ]


def test_a_document_of_headings_only_gives_no_passages() -> None:
    assert split(document(heading("A"), heading("B"))) == ()
