"""Foreign text in the chat, in copied text and in saved files shows as itself, and only so."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rendering_material import answer_from

from assistant.rendering import (
    Exchange,
    Footnote,
    answer_copy_text,
    answer_markdown,
    conversation_markdown,
    escape_markdown,
    plain,
    secure_url,
    source_address,
    text_markdown,
    unescape_markdown,
)

HOSTILE = [
    "![x](http://evil.example/x.png)",
    "![x][1]\n\n[1]: http://evil.example/x.png",
    '<img src="http://evil.example/x.png">',
    "<form action=https://evil.example><input></form>",
    "<details ontoggle=alert(1) open>",
    "[x](javascript:alert(1))",
    "[x](data:text/html,hi)",
    "[x](&#106;avascript:alert(1))",
    "[x](//evil.example)",
    "<https://evil.example/a>",
    "https://evil.example/b and http://evil.example/c and www.evil.example",
    "me@evil.example",
    "# heading\n- item\n1. item\n> quote\n```\ncode\n```\n| a |\n|---|",
    "$$\\href{javascript:alert(1)}{x}$$",
    "*bold* _soft_ ~~gone~~ `code`",
    "<style>*{background:url(http://evil.example)}</style>",
    "Setext\n===",
    "    four spaces",
]

# As eager as readers get: raw HTML is passed on and bare addresses become links.
EAGER = MarkdownIt("gfm-like", {"html": True, "linkify": False, "breaks": True})


def shown(markdown: str) -> str:
    return EAGER.render(markdown)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text: str) -> None:
    page = shown(escape_markdown(text))
    assert set(re.findall(r"<(/?\w+)", page)) <= {"p", "/p", "br"}


@pytest.mark.parametrize("text", HOSTILE)
def test_escaped_text_holds_nothing_that_readers_turn_into_links(text: str) -> None:
    escaped = escape_markdown(text)
    assert "://" not in escaped
    assert not re.search(r"(?i)www\.", escaped)
    assert "@" not in escaped


@given(st.text(max_size=200))
def test_any_text_makes_paragraphs_only(text: str) -> None:
    page = shown(escape_markdown(text))
    assert set(re.findall(r"<(/?[a-z]\w*)", page)) <= {"p", "/p", "br"}


@given(st.text(alphabet=st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=80))
def test_text_comes_back_from_an_edit_box(text: str) -> None:
    words = " ".join(text.split())
    if "&" not in words and "\\" not in words:
        assert unescape_markdown(escape_markdown(words)) == words


def test_an_ordinary_sentence_is_not_touched() -> None:
    words = "Each state is reviewed every 4.5 years, isn't it? (Since 2008: yes.)"
    assert escape_markdown(words) == words


def test_invisible_and_turning_characters_go() -> None:
    assert plain("a\u202eb\u200bc\x00d\ne\u2066f") == "abcd\nef"


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example/",
        "javascript:alert(1)",
        "https://user:word@a.example/",
        "https://a.example/ b",
        'https://a.example/"x',
        "https://a.example/<x>",
        "https://",
        "//a.example",
        "https://[bad",
    ],
)
def test_only_plain_https_addresses_are_links(url: str) -> None:
    assert secure_url(url) == ""


def test_an_https_address_is_kept() -> None:
    assert secure_url("https://a.example/b?c=d#e") == "https://a.example/b?c=d#e"


def test_markers_lead_to_the_words_they_cite() -> None:
    answer = answer_from("Boats need lamps. The master keeps a list.")
    markdown = answer_markdown(answer)
    for citation in answer.citations:
        address = source_address(citation.passage, citation.start, citation.end)
        assert rf"[\[{citation.number}\]]({address})" in markdown
        start, end = map(int, address.rsplit(":", 1)[1].split("-"))
        assert citation.passage.text[start:end] == citation.quote


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_document_adds_no_link_to_an_answer(text: str) -> None:
    line = " ".join(text.split())
    answer = answer_from(f"Lamps are needed. {line}", title=line, notice=line, url="javascript:x")
    page = shown(answer_markdown(answer))
    assert "<img" not in page
    assert set(re.findall(r'href="(.)', page)) == {"#"}


def test_an_answer_shows_notices_first_and_its_proof() -> None:
    answer = answer_from("Boats need lamps.", notices=("Mind this.",))
    markdown = answer_markdown(answer)
    assert markdown.startswith("> Mind this.")
    assert "1 of 1 quotation found word for word · 1 of 1 sentence supported" in markdown


def test_lists_stay_lists_and_unfinished_text_has_no_links() -> None:
    markdown = text_markdown("They are: [1]\n• one; [2]\n• two. [3]")
    assert markdown == "They are: \\[1\\]\n\n- one; \\[2\\]\n- two. \\[3\\]"


def test_copied_text_has_its_footnotes() -> None:
    answer = answer_from("Boats need lamps.", url="https://a.example/x")
    text = answer_copy_text(answer, "http://here")
    assert text.startswith("Boats need lamps. [1]")
    assert "[1] “Boats need lamps.” — Rules" in text
    assert "https://a.example/x" in text
    bare = answer_copy_text(answer_from("Boats need lamps."), "http://here")
    assert f"http://here{answer.citations[0].permalink}" in bare


@pytest.mark.parametrize("text", [*HOSTILE, "=cmd|' /C calc'!A0"])
def test_a_saved_conversation_holds_no_foreign_markup(text: str) -> None:
    note = Footnote(number=1, quote=text, source=text, url="javascript:x", permalink="/p")
    exchange = Exchange(
        question=text, text=text + " [1]", notices=(text,), proof=text, footnotes=(note,)
    )
    page = shown(conversation_markdown([exchange]))
    assert "<img" not in page
    assert "<a " not in page
    assert "evil.example" not in re.sub(r">[^<]*<", "><", page)


def test_a_saved_conversation_links_its_sources() -> None:
    note = Footnote(number=1, quote="q", source="s", url="https://a.example/x", permalink="/p")
    saved = conversation_markdown([Exchange(question="Why?", text="So. [1]", footnotes=(note,))])
    assert saved.startswith("# Conversation with Rapporteur\n\n## Why?\n\nSo. \\[1\\]\n")
    assert "- \\[1\\] “q” — s <https://a.example/x>" in saved
