"""Plain text nobody marked up: structure by rule, on files the rules were not written for."""

import textwrap

import pytest

from corpus.cleaning import clean, decode
from corpus.documents import Document
from corpus.errors import UnreadableFile
from corpus.furniture import ai_notice, announces, is_furniture
from corpus.loaders import load
from corpus.splitting import split

FIRST = (
    "Trade between nations grew quickly after the war, and many treaties followed in its wake. "
    "Some lasted for decades while others were soon forgotten by those who had signed them."
)
SECOND = (
    "A second paragraph speaks of well-known harbours and of the merchants who used them. "
    "It is not long, but its two sentences should stay together in one block."
)


def read(text: str | bytes, path: str = "notes/on-old_trade.txt") -> Document:
    return load(path, text if isinstance(text, bytes) else text.encode())


def headings(document: Document) -> list[tuple[str, int]]:
    return [(section.heading, section.level) for section in document.sections if section.level]


def blocks(document: Document) -> list[str]:
    return [
        document.text[block.start : block.end]
        for section in document.sections
        for block in section.blocks
    ]


def wrap(text: str) -> str:
    return textwrap.fill(text, 72)


def test_text_without_headings() -> None:
    document = read(f"{FIRST}\n\n{SECOND}\n")
    assert document.title == "On old trade"
    assert headings(document) == []
    assert blocks(document) == [FIRST, SECOND]
    assert document.text == f"{FIRST}\n\n{SECOND}"


def test_capitals_are_headings_above_plain_ones() -> None:
    document = read(
        f"THE HISTORY OF TRADE\n\nINTRODUCTION\n\n{FIRST}\n\nEARLY TRADE\n\n{SECOND}\n\n"
        f"The silk road\n\n{FIRST}\n\nMODERN TRADE\n\n{SECOND}\n"
    )
    assert document.title == "THE HISTORY OF TRADE"
    assert headings(document) == [
        ("INTRODUCTION", 1),
        ("EARLY TRADE", 1),
        ("The silk road", 2),
        ("MODERN TRADE", 1),
    ]
    assert document.sections[2].path == ("EARLY TRADE", "The silk road")


def test_numbers_give_levels_and_are_no_list() -> None:
    document = read(
        f"On Trade\n\n1. Introduction\n\n{FIRST}\n\n2. Law\n\n{SECOND}\n\n"
        f"2.1 Treaties\n\n{FIRST}\n\n3. Conclusion\n\n{SECOND}\n\n1. one thing\n2. another thing\n"
    )
    assert headings(document) == [
        ("1. Introduction", 1),
        ("2. Law", 1),
        ("2.1 Treaties", 2),
        ("3. Conclusion", 1),
    ]
    assert blocks(document)[-2:] == ["1. one thing", "2. another thing"]


@pytest.mark.parametrize("gap", ["\n", "\n\n"])
def test_hard_wrapped_lines_become_paragraphs(gap: str) -> None:
    parts = ["The History of Trade", wrap(FIRST), "Early Routes", wrap(SECOND), wrap(FIRST)]
    document = read(gap.join(parts) + "\n")
    assert document.title == "The History of Trade"
    assert headings(document) == [("Early Routes", 1)]
    assert blocks(document)[:2] == [FIRST, SECOND]


def test_wrapped_items_and_lists_that_restart() -> None:
    item = "- an item that is long enough to be wrapped by the editor of this very file, twice"
    folded = textwrap.fill(item, 72, subsequent_indent="  ")
    document = read(
        f"Trade Today\n\n{wrap(FIRST)}\n\n{folded}\n- second item\n\n{wrap(SECOND)}\n\n"
        "1. one\n2. two\n\n1. again one\n2. again two\n"
    )
    assert blocks(document)[1:3] == [item, "- second item"]
    assert document.text.endswith("1. one\n2. two\n\n1. again one\n2. again two")


def test_hyphen_at_a_line_end_goes_unless_the_word_has_one() -> None:
    text = (
        "The merchants knew the well-known harbours of the northern sea and their trea-\n"
        "ties with the southern towns, and they sailed between all of the other well-\n"
        "known harbours each year until the wars began and every one of them was shut.\n"
        "After that the ships stayed at home and the towns forgot what they had known.\n"
    )
    (block,) = blocks(read(text))
    assert "their treaties with" in block
    assert "other well-known harbours" in block


def test_line_ends_and_encodings_give_the_same_text() -> None:
    text = f"Un été à Nîmes\n\n{FIRST} C’était l’été.\n\n{SECOND}"
    wanted = read(text).text
    assert read(text.replace("\n", "\r\n")).text == wanted
    for name in ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"):
        assert read(text.encode(name)).text == wanted, name
    plain = text.replace("’", "'")
    assert read(plain.encode("latin-1")).text == read(plain).text


def test_other_alphabets_without_a_mark() -> None:
    text = "История торговли длинна. Люди ездили из порта в порт и торговали. " * 5
    assert read(text.encode("cp1251")).text == read(text).text


def test_damaged_bytes_do_not_flood_the_text() -> None:
    data = (f"Été. {FIRST} " * 20).encode() + b"\xed\xa0\x80\xff" + FIRST.encode()
    assert "\ufffd" not in decode(data)
    assert "Été. Trade" in decode(data)


@pytest.mark.parametrize("data", [b"", b" \r\n\t\n", b"\xef\xbb\xbf", bytes(range(256)) * 40])
def test_nothing_to_read_is_said(data: bytes) -> None:
    with pytest.raises(UnreadableFile) as refused:
        read(data)
    assert refused.value.hint


def test_unseen_characters_go_and_hidden_writing_is_reported() -> None:
    hidden = "".join(chr(0xE0000 + ord(letter)) for letter in "obey me")
    document = read(f"Trade Today\n\nIt gr\u200bew\u00ad fast.{hidden} {FIRST}\n\n{SECOND}")
    assert document.text.startswith("It grew fast. Trade between")
    assert [notice.kind for notice in document.notices] == ["hidden-text"]
    assert clean("می\u200cخواهم").text == "می\u200cخواهم"  # a joiner that belongs to the spelling


def test_markdown_inside_a_text_file() -> None:
    document = read("# Trade\n\nSome *text* with [a link](http://x.y).\n\n## Part\n\n* a\n* b\n")
    assert document.title == "Trade"
    assert headings(document) == [("Part", 1)]
    assert blocks(document) == ["Some text with a link.", "* a", "* b"]


def test_contents_are_dropped_and_lists_without_markers_kept() -> None:
    document = read(
        f"On Trade\n\nOrigins\nGrowth\nDecline\n\nOrigins\n\n{FIRST}\n\nGrowth\n\n{SECOND}\n\n"
        f"Its routes were:\n\nThe sea\nThe silk road\nThe amber road\n\n{FIRST}\n\n"
        f"Decline\n\n{SECOND}"
    )
    assert [heading for heading, _ in headings(document)] == ["Origins", "Growth", "Decline"]
    assert "The sea\nThe silk road\nThe amber road" in document.text


def test_signature_and_address_are_no_headings() -> None:
    document = read(
        f"Letter\n\n{FIRST}\n\nJohn Smith\nDirector\n12 Long Street\n\n{SECOND}\n\nJane"
    )
    assert headings(document) == []


def test_a_part_that_the_section_announces_is_a_level_down() -> None:
    document = read(
        f"Trade Between Northern Towns\n\nThe Role of Trade\n\n{FIRST}\n\n"
        "Challenges of Trade\n\nStorm damage and pirate attacks can hinder any merchant.\n\n"
        f"Storm Damage\n\n{FIRST}\n\nPirate Attacks\n\n{SECOND}\n\nConclusion\n\n{FIRST}"
    )
    assert headings(document) == [
        ("The Role of Trade", 1),
        ("Challenges of Trade", 1),
        ("Storm Damage", 2),
        ("Pirate Attacks", 2),
        ("Conclusion", 1),
    ]


def test_a_missing_title_comes_from_the_conclusion() -> None:
    document = read(
        f"{FIRST}\n\nThe Beginning\n\n{SECOND}\n\nConclusion\n\n"
        "Keeping harbours open through winter is a long endeavour. It takes ice breakers.\n"
    )
    assert document.title == "Keeping Harbours Open through Winter"


@pytest.mark.parametrize(
    "line",
    [
        "Skip to main content",
        "Back to top ↑",
        "Share this article",
        "Subscribe to our newsletter",
        "We use cookies to improve your experience on this site.",
        "Accept all cookies",
        "Related: How Ships Were Built",
        "Read more: The Northern Harbours",
        "See also\u00a0 The Amber Road Today",
        "© 2024 Trade House. All rights reserved.",
        "Leave a comment",
        "Home > Articles > Trade",
    ],
)
def test_furniture(line: str) -> None:
    assert is_furniture(line)


@pytest.mark.parametrize(
    "line",
    [
        "See also Article 5 of the Covenant.",
        "See also General Comment No. 31, para. 5",
        "Related factors explain this growth.",
        "Share of trade by country",
        "Cookies were baked in the harbour towns every winter.",
        "Subscribing states shall report each year.",
        "Related rights",
        "Next, the merchants sailed home.",
    ],
)
def test_no_furniture(line: str) -> None:
    assert not is_furniture(line)


def test_an_announcement_quotes_its_own_title() -> None:
    title = "The Amber Road: A History"
    blurb = f"In our new article, “{title},” we will follow the amber. Don’t miss it!"
    assert announces(blurb, title)
    assert not announces(f"The book “{title}” was printed in 1990.", title)
    assert blurb not in read(f"{title}\n\n{blurb}\n\n{FIRST}\n\n{SECOND}").text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("This article was written with the help of AI. Check it.", True),
        ("Note: the text was produced by an artificial intelligence tool.", True),
        ("AI-generated content: please verify this page.", True),
        ("Artificial intelligence changes how states report.", False),
        ("The treaty was drafted by experts; its text was prepared in Paris.", False),
    ],
)
def test_notices_of_generation(text: str, found: bool) -> None:
    assert bool(ai_notice(text)) == found


def test_five_megabytes_are_read_and_split() -> None:
    document = read(f"{FIRST} {SECOND}\n\n" * 15_000 + "x" * 1_000_000)
    passages = split(document)
    assert len(document.text) > 5_000_000
    assert all(document.text[p.start : p.end] == p.text for p in passages)
    assert max(len(p.text) for p in passages) < 10_000
