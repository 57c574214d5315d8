"""An answer as one message: its sources below it, nothing in it that a reader of Markdown obeys."""

from dataclasses import replace

import pytest
from markdown_it import MarkdownIt
from rendering_material import answer_from

from assistant.answers import AbstentionKind, Check, DeltaEvent, DoneEvent, EvidenceEvent
from assistant.web.message_text import harmless, message_pieces, message_text, without_sources

BASE = "https://chat.example.org"

HOSTILE = (
    "![x](http://evil.example/x.png)",
    "![x][y]\n\n[y]: http://evil.example/x.png",
    "[press](http://evil.example)",
    "[press](<http://evil.example>)",
    "<img src=http://evil.example/x.png>",
    r"\<img src=http://evil.example/x.png>",
    r"\![x](http://evil.example/x.png)",
    r"[x\](http://evil.example) [y]\\(http://evil.example)",
    "!\u200b[x](http://evil.example/x.png)",
    "[press]\u200b(http://evil.example)",
    "<http://evil.example>",
    "[y]:\nhttp://evil.example\n\n![y]",
)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("preset", ["commonmark", "default"])
def test_foreign_words_make_no_image_link_or_html(text: str, preset: str) -> None:
    shown = MarkdownIt(preset, {"html": True, "linkify": False}).render(harmless(text))
    assert tags_of(shown) == []


def tags_of(shown: str) -> list[str]:
    return [mark for mark in ("<img", "<a ", "href=", "<script") if mark in shown]


@pytest.mark.parametrize("text", HOSTILE)
def test_pieces_of_a_text_are_as_harmless_as_the_whole(text: str) -> None:
    answer = answer_from(f"{text} is written here. More follows.")
    deltas = [DeltaEvent(text=char) for char in answer.text]
    events = [EvidenceEvent(evidence=()), *deltas, DoneEvent(answer=answer)]
    pieces = list(message_pieces(events, BASE))
    assert "".join(piece for piece, _ in pieces) == message_text(answer, BASE)
    assert [found for _, found in pieces if found is not None] == [answer]


def test_plain_words_stay_as_they_are() -> None:
    words = "Article 5 (2) costs $3 * 2_000 [sic] at 7:30 & more! [1] (see above)\n- an item"
    assert harmless(words) == words


def test_every_marker_has_its_quote_source_and_address_below() -> None:
    answer = answer_from(
        "The lamp burns oil. Wicks are cut at dusk.",
        notice="Declares itself AI-generated.",
        notices=("All sources declare themselves AI-generated.",),
    )
    text = message_text(answer, BASE)
    assert text.startswith(answer.text)
    below = text[len(answer.text) :]
    for citation in answer.citations:
        start = citation.start - citation.passage.start
        end = citation.end - citation.passage.start
        line = next(one for one in below.split("\n") if one.startswith(f"- [{citation.number}] "))
        assert f"“{citation.quote}”" in line
        assert citation.document.title in line
        assert "Declares itself AI-generated." in line
        assert line.endswith(f"{BASE}/passages/{citation.passage.id}?start={start}&end={end}")
    assert "Notice: All sources declare themselves AI-generated." in below
    assert "2 of 2 quotations found word for word" in below
    assert without_sources(text) == answer.text


@pytest.mark.parametrize(
    ("checked", "mark"),
    [("meaning", "not supported by the quoted passage"), ("figures", "meaning not checked")],
)
def test_sentences_without_support_are_marked(checked: Check, mark: str) -> None:
    answer = answer_from("The lamp burns oil. Wicks are cut at dusk.")
    first, second = answer.statements
    doubtful = replace(second, supported=False, checked=checked)
    answer = replace(answer, statements=(first, doubtful))
    text = message_text(answer, BASE)
    assert f"The lamp burns oil. [1] Wicks are cut at dusk. (⚠ {mark}) [2]" in text
    halves = answer.text.partition("[1]")
    deltas = [
        DeltaEvent(text="".join(halves[:2])),
        DeltaEvent(text=halves[2], supported=False, checked=checked),
    ]
    pieces = message_pieces([*deltas, DoneEvent(answer=answer)], BASE)
    assert "".join(piece for piece, _ in pieces) == text


def test_an_answer_that_turns_out_otherwise_is_told_whole() -> None:
    answer = answer_from("The lamp burns oil. Wicks are cut at dusk.")
    events = [DeltaEvent(text="Lamps are made of gold."), DoneEvent(answer=answer)]
    text = "".join(piece for piece, _ in message_pieces(events, BASE))
    assert text.startswith("Lamps are made of gold.\n\nWhat stands above can't be kept up.")
    assert text.endswith(message_text(answer, BASE))


def test_events_without_an_answer_are_an_error() -> None:
    with pytest.raises(RuntimeError, match="without an answer"):
        list(message_pieces([DeltaEvent(text="Lamps")], BASE))


def test_an_abstention_has_no_sources() -> None:
    answer = answer_from("The lamp burns oil.")
    refusal = replace(
        answer,
        text="Nothing is said of that.",
        citations=(),
        statements=(),
        abstention=AbstentionKind.NO_EVIDENCE,
    )
    assert message_text(refusal, BASE) == "Nothing is said of that."
