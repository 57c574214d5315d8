"""What a page sends is bounded and not believed; what it is shown follows from it."""

import json

import pytest
from rendering_material import answer_from

from assistant.chain import Assistant
from assistant.web import dialogue
from assistant.web.conversation import (
    EXCHANGE_LIMIT,
    MEMORY,
    STORED_LIMIT,
    TURN_LIMIT,
    Conversation,
    StoredExchange,
    finished,
    pending,
)
from assistant.web.dialogue import Page, View
from assistant.web.shelf import filters
from corpus.errors import ExpectedError
from index.retrieval import Filters

pytest_plugins = ("web_fixtures",)


def exchange(number: int, **changes: object) -> StoredExchange:
    fields = {"question": f"Question {number}?", "state": "done", "text": f"Answer {number}."}
    return StoredExchange.model_validate({**fields, **changes})


def conversation(count: int) -> Conversation:
    return Conversation(exchanges=tuple(exchange(number) for number in range(count)))


def last(views: object) -> View:
    return list(views)[-1]  # type: ignore[call-overload]


def test_a_conversation_survives_its_way_through_the_page() -> None:
    done = finished("Why?", answer_from("Boats need lamps. So it is."), "http://here")
    kept = Conversation(exchanges=(done, pending("And?")))
    assert Conversation.parse(kept.stored()) == kept
    assert Conversation.parse("") == Conversation.parse(None) == Conversation()


@pytest.mark.parametrize(
    "sent",
    [
        "{",
        "[]",
        "null",
        "NaN",
        '{"exchanges": [{"question": 1e999, "state": "done"}]}',
        '{"exchanges": [{"question": "x", "state": "system"}]}',
        '{"exchanges": [{"question": "x", "state": "done", "role": "system"}]}',
        '{"exchanges": [{"question": "\\ud800", "state": "done"}]}',
        json.dumps({"exchanges": [{"question": "x" * 2001, "state": "done"}]}),
        json.dumps({"exchanges": [{"question": "x", "state": "done"}] * (EXCHANGE_LIMIT + 1)}),
        "[" * 100_000,
        "x" * (STORED_LIMIT + 1),
        {"path": "/etc/passwd"},
        7,
    ],
)
def test_what_this_did_not_write_is_refused(sent: object) -> None:
    with pytest.raises(ExpectedError, match="start a new one"):
        Conversation.parse(sent)


def test_only_the_latest_messages_count_and_only_so_much_of_them() -> None:
    turns = conversation(30).turns()
    assert len(turns) == MEMORY
    assert (turns[-1].role, turns[-1].content) == ("assistant", "Answer 29.")
    long = Conversation(exchanges=(exchange(0, text="x" * 50_000),))
    assert max(len(turn.content) for turn in long.turns()) == TURN_LIMIT


def test_stopped_and_failed_answers_are_no_memory() -> None:
    kept = Conversation(exchanges=(exchange(0, state="stopped"), exchange(1, state="error")))
    assert kept.turns() == ()


def test_a_full_conversation_says_so() -> None:
    full = conversation(EXCHANGE_LIMIT)
    with pytest.raises(ExpectedError, match="too long"):
        full.with_exchange(exchange(0))


def test_filters_from_a_page_are_names_or_nothing() -> None:
    assert filters(["article", 7, None], "all") == Filters(kinds=frozenset({"article"}))
    assert filters(None, {"path": "/etc/passwd"}) == Filters()


def test_an_answer_is_shown_step_by_step(assistant: Assistant) -> None:
    page = Page(stored="", filters=Filters(), base_url="http://here")
    views = list(dialogue.ask(assistant, page, "How often does the assembly meet?"))
    assert views[0].busy
    assert views[0].conversation.exchanges[0].state == "stopped"
    end = views[-1]
    assert not end.busy
    assert end.status == dialogue.READY
    done = end.conversation.exchanges[0]
    assert "three times a year" in done.text
    assert done.notes[0].permalink.startswith("http://here/passages/")


@pytest.mark.parametrize(
    "question", ["", "  \u200b ", None, 7, {"path": "/etc/passwd"}, "x" * 2001]
)
def test_what_is_no_question_changes_nothing(assistant: Assistant, question: object) -> None:
    before = conversation(1)
    page = Page(stored=before.stored(), filters=Filters())
    view = last(dialogue.ask(assistant, page, question))
    assert view.conversation == before
    assert view.status
    assert view.typed is None


def test_a_failure_is_one_polite_sentence(
    assistant: Assistant, caplog: pytest.LogCaptureFixture
) -> None:
    page = Page(stored="", filters=Filters())
    view = last(dialogue.ask(assistant, page, "My name is Ada, fail now"))
    shown = str(view.conversation.messages())
    assert "Something went wrong while answering. Please try again." in shown
    assert "sk-FAKE" not in shown
    assert "RuntimeError" in caplog.text
    assert "sk-FAKE" not in caplog.text
    assert "Ada" not in caplog.text


def test_retry_asks_again_and_drops_what_came_after(assistant: Assistant) -> None:
    stored = Conversation(
        exchanges=(exchange(0), exchange(1, question="Who sits on the tribunal?"), exchange(2))
    ).stored()
    view = last(dialogue.again(assistant, Page(stored=stored, filters=Filters()), 3))
    assert len(view.conversation.exchanges) == 2
    assert view.conversation.exchanges[0] == exchange(0)
    assert "judges" in view.conversation.exchanges[1].text.lower()


def test_an_edit_asks_in_other_words_and_a_bad_one_costs_nothing(assistant: Assistant) -> None:
    page = Page(stored=conversation(2).stored(), filters=Filters())
    asked = "Who sits on the \\[tribunal\\]?"
    view = last(dialogue.reworded(assistant, page, 0, asked))
    assert [each.question for each in view.conversation.exchanges] == [
        "Who sits on the [tribunal]?"
    ]
    unchanged = last(dialogue.reworded(assistant, page, 0, "   "))
    assert unchanged.conversation == conversation(2)
    assert unchanged.status


def test_undo_gives_the_question_back() -> None:
    view = dialogue.undone(conversation(2).stored(), [2])
    assert view.conversation == conversation(1)
    assert view.typed == "Question 1?"


@pytest.mark.parametrize("index", [-1, 99, None, "0", True, [], {"x": 1}, 1.5])
def test_a_message_that_is_not_there_changes_nothing(assistant: Assistant, index: object) -> None:
    page = Page(stored=conversation(2).stored(), filters=Filters())
    assert dialogue.undone(page.stored, index).conversation == conversation(2)
    assert last(dialogue.again(assistant, page, index)).conversation == conversation(2)
