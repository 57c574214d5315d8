"""Written answers: fluent text over the same evidence, held to it sentence by sentence.

The chat model is a local server behind the provider's own package, over real HTTP.
"""

import re

import pytest
from model_server import ModelServer
from written_material import Writing, read

from assistant.answers import MARKER, AbstentionKind, Answer, DeltaEvent, Turn
from assistant.composition import build_assistant
from assistant.marking import UNSOURCED, UNSUPPORTED, marked_text
from assistant.rendering import answer_copy_text, answer_markdown
from assistant.settings import Settings
from assistant.terminal import Screen
from corpus.errors import ExpectedError

pytest_plugins = ("written_fixtures",)

WHO = "Who takes part in the Lantern Review?"
BINDING = "Are decisions of the Lantern Review binding?"
YEAR = "In which year was the Lantern Review set up?"
FOUNDER = "Who founded the Keepers' Relief Society?"


def check(answer: Answer) -> None:
    """What holds for every written answer."""
    assert (answer.mode, answer.model) == ("written", "openai:test")
    markers = [int(number) for number in MARKER.findall(answer.text)]
    first_uses = list(dict.fromkeys(markers))
    assert first_uses == list(range(1, len(answer.citations) + 1))
    for citation in answer.citations:
        assert citation.document.text[citation.start : citation.end] == citation.quote
        assert citation.passage.start <= citation.start < citation.end <= citation.passage.end
    assert all(statement.citations for statement in answer.statements if statement.supported)
    assert answer.proof.supported == sum(s.supported for s in answer.statements) > 0
    assert answer.proof.exact == answer.proof.quotes


@pytest.mark.parametrize(
    "mode",
    ["honest", "paragraphs", "marker after", "list", "brackets 【1】", "brackets [passage 1]",
     "brackets ［1］", "brackets [^1]", "thoughts", "html", "links", "images", "drip",
     "markdown deep"],
)  # fmt: skip
def test_an_honest_answer_is_supported_throughout(writing: Writing, mode: str) -> None:
    streamed, answer = read(writing(mode).ask(WHO))
    check(answer)
    assert streamed == answer.text
    assert all(statement.supported for statement in answer.statements)
    assert not answer.notices
    assert not re.search(r"evil|script|<|http|think|!\[", answer.text)


@pytest.mark.parametrize("mode", ["brackets [1, 2]", "brackets [1][2]"])
def test_of_two_passages_named_only_those_that_bear_it_are_cited(
    writing: Writing, mode: str
) -> None:
    answer = writing(mode).ask(FOUNDER).answer()
    check(answer)
    assert answer.statements[0].supported
    assert len(answer.statements[0].citations) == 1


def test_each_sentence_carries_its_own_exact_words(writing: Writing) -> None:
    answer = writing().ask(WHO).answer()
    for statement in answer.statements:
        (number,) = statement.citations
        words = set(re.findall(r"\w{4,}", statement.text.lower()))
        quoted = set(re.findall(r"\w{4,}", answer.citations[number - 1].quote.lower()))
        assert words <= quoted


def test_invented_numbers_never_reach_the_screen(writing: Writing) -> None:
    streamed, answer = read(writing("invent markers").ask(WHO))
    check(answer)
    assert streamed == answer.text
    assert not re.search(r"\[(0|9\d*)\]", streamed)
    last = next(s for s in answer.statements if "known everywhere" in s.text)
    assert (last.supported, last.citations) == (False, ())


LIES = [
    ("add a claim", WHO, "abolished by the Kingdom"),
    ("change a number", WHO, ""),
    ("misattribute", FOUNDER, ""),
    ("drop a negation", BINDING, "are binding"),
    ("swap a name", FOUNDER, "Atlantis"),
]
"""Mode of the server, a question, and what is not so in the answer."""


@pytest.mark.parametrize(("mode", "question", "lie"), LIES)
def test_no_lie_is_shown_as_supported(writing: Writing, mode: str, question: str, lie: str) -> None:
    streamed, answer = read(writing(mode).ask(question))
    for statement in answer.statements:
        assert not (lie and lie in statement.text and statement.supported)
    if answer.mode == "quotation":
        assert "supported by its sources" in answer.notices[0]
        assert streamed == answer.text
        return
    check(answer)
    assert answer.proof.supported < answer.proof.statements
    wrong = [statement for statement in answer.statements if not statement.supported]
    assert marked_text(answer).count(UNSUPPORTED) == len(wrong)


def test_an_unsupported_sentence_is_marked_wherever_it_is_shown(
    writing: Writing, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = writing("add a claim").ask(WHO).answer()
    assert re.search(
        r"in 1871\. \(⚠ not supported by the quoted passage\) \[\d\]", marked_text(answer)
    )
    assert f"***{UNSUPPORTED}***" in answer_markdown(answer)
    assert UNSUPPORTED in answer_copy_text(answer)
    Screen(width=200).answer(answer)
    assert UNSUPPORTED in capsys.readouterr().out
    said = [s for s in answer.as_json()["statements"] if not s["supported"]]
    assert [statement["text"] for statement in said] == [
        "It was abolished by the Kingdom of Atlantis in 1871."
    ]
    assert "Written by the chat model openai:test" in answer_markdown(answer)


def test_a_sentence_without_source_is_marked_as_such(writing: Writing) -> None:
    answer = writing("invent markers").ask(WHO).answer()
    assert f"known everywhere. {UNSOURCED}" in marked_text(answer)


def test_the_stream_says_which_sentence_is_unsupported(writing: Writing) -> None:
    events = list(writing("add a claim").ask(WHO))
    flagged = [e.text for e in events if isinstance(e, DeltaEvent) and not e.supported]
    assert len(flagged) == 1
    assert "abolished" in flagged[0]


def test_unsupported_sentences_may_be_left_out_and_that_is_said(writing: Writing) -> None:
    streamed, answer = read(writing("add a claim", leave_out=True).ask(WHO))
    check(answer)
    assert "abolished" not in streamed + answer.text
    assert answer.notices == (
        "One sentence was left out: the passage it named does not support it.",
    )
    assert answer.proof.supported == answer.proof.statements


def test_both_sides_are_shown_where_the_library_says_that_sources_differ(writing: Writing) -> None:
    for mode in ("honest", "drop a negation"):
        streamed, answer = read(writing(mode).ask(BINDING))
        assert streamed == answer.text
        assert [difference.about for difference in answer.differences] == ["whether decisions bind"]
        quotes = [answer.citations[n - 1].quote for n in answer.differences[0].citations]
        assert any("not binding" in quote for quote in quotes)
        assert any("must carry out" in quote for quote in quotes)
        assert "not binding" in answer.text


def test_a_difference_that_the_model_names_counts_only_with_both_sides(writing: Writing) -> None:
    answer = writing("disagree alone").ask("How often does a fog signal sound?").answer()
    check(answer)
    assert "DIFFERENCE" not in answer.text
    assert answer.differences == ()


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("What is a good recipe for lentil soup?", AbstentionKind.OFF_TOPIC),
        ("Who chairs the Lantern Review?", AbstentionKind.NO_EVIDENCE),
        ("hello", None),
        ("Was the article on protecting lighthouse keepers written by a person?", None),
    ],
)
def test_no_model_is_called_for_what_the_evidence_decides(
    writing: Writing, model: ModelServer, question: str, kind: AbstentionKind | None
) -> None:
    answer = writing().ask(question).answer()
    assert answer.abstention is kind
    assert answer.mode == "quotation"
    assert model.calls == 0


def test_a_follow_up_is_rewritten_by_the_model(writing: Writing, model: ModelServer) -> None:
    turns = (
        Turn(role="user", content="Who takes part in the Lantern Review?"),
        Turn(role="assistant", content="Island governments and harbour unions."),
    )
    alone = "How often is each island examined in the Lantern Review?"
    answer = writing(rewritten=f'"{alone}"\n').ask("And how often?", turns).answer()
    check(answer)
    assert answer.standalone_question == alone
    assert "every five years" in answer.text
    assert model.calls == 2
    assert "stream" not in model.requests[0] or not model.requests[0]["stream"]
    shown = answer_markdown(answer)
    assert "<details><summary>How the question was understood</summary>" in shown
    assert alone in shown


@pytest.mark.parametrize("junk", ["?!", "word " * 100, '{"question": "x"}', "[1]"])
def test_an_unusable_rewriting_gives_way_to_the_rules(writing: Writing, junk: str) -> None:
    turns = (Turn(role="user", content=WHO), Turn(role="assistant", content="Islands."))
    answer = writing(rewritten=junk).ask("And how often does it happen?", turns).answer()
    assert answer.standalone_question == (
        "How often does it happen? (Who takes part in the Lantern Review)"
    )
    check(answer)


def test_a_question_that_stands_alone_is_not_rewritten(
    writing: Writing, model: ModelServer
) -> None:
    turns = (Turn(role="user", content=WHO), Turn(role="assistant", content="Islands."))
    answer = writing().ask("Which knowledge do training courses give keepers?", turns).answer()
    check(answer)
    assert model.calls == 1


def test_a_question_in_another_language_is_read_and_answered_in_it(
    writing: Writing, model: ModelServer
) -> None:
    assistant = writing("foreign", rewritten=WHO)
    answer = assistant.ask(
        "Wer nimmt an der Laternenprüfung teil und welche Rolle hat er?"
    ).answer()
    assert model.requests[0]["messages"][1]["content"].startswith("CONVERSATION")
    assert '"language": "German"' in model.requests[1]["messages"][1]["content"]
    check_foreign(answer)
    (statement,) = [s for s in answer.statements if s.text.startswith("Die Berichte")]
    assert (statement.supported, statement.checked) == (False, "figures")
    assert "(⚠ meaning not checked)" in marked_text(answer)
    assert answer.standalone_question == WHO


def check_foreign(answer: Answer) -> None:
    assert answer.mode == "written"
    assert any("not in the language of its documents" in notice for notice in answer.notices)
    for citation in answer.citations:
        assert citation.document.text[citation.start : citation.end] == citation.quote


def test_an_english_question_is_not_answered_in_another_language(writing: Writing) -> None:
    answer = writing("foreign").ask(WHO).answer()
    assert answer.mode == "quotation"
    assert "supported by its sources" in answer.notices[0]


def test_the_visitor_can_choose_exact_quotations(writing: Writing, model: ModelServer) -> None:
    assistant = writing()
    assert assistant.modes == ("written", "quotation")
    assert assistant.ask(WHO, mode="quotation").answer().mode == "quotation"
    assert model.calls == 0
    assert assistant.invoke({"question": WHO, "mode": "written"}).mode == "written"


@pytest.mark.parametrize(
    ("chosen", "modes"),
    [("visitor", ("written", "quotation")), ("written", ("written",)),
     ("quotation", ("quotation",))],
)  # fmt: skip
def test_the_operator_can_fix_the_mode(
    model: ModelServer, tmp_path, chosen: str, modes: tuple[str, ...]
) -> None:
    settings = Settings(
        index=tmp_path, chat_model="openai:test", chat_model_url=model.url,
        chat_model_key="sk-FAKE", mode=chosen,
    )  # fmt: skip
    assert build_assistant(settings).modes == modes
    assert "sk-FAKE" not in repr(settings)


def test_without_a_chat_model_there_are_quotations_only(tmp_path) -> None:
    assert build_assistant(Settings(index=tmp_path)).modes == ("quotation",)


def test_a_chat_model_that_can_not_be_is_told_at_once(tmp_path) -> None:
    with pytest.raises(ExpectedError, match="nonsense"):
        build_assistant(Settings(index=tmp_path, chat_model="nonsense"))
