"""Written answers on their way through the page: what grows, what is kept, what was chosen."""

import pytest
from model_server import ModelServer
from written_material import Writing

from assistant.marking import UNSUPPORTED
from assistant.web import dialogue
from assistant.web.conversation import Conversation
from assistant.web.dialogue import Page, sent
from index.retrieval import Filters

pytest_plugins = ("written_fixtures",)

WHO = "Who takes part in the Lantern Review?"


@pytest.mark.parametrize(
    ("ticked", "mode"), [(True, "quotation"), (False, None), (None, None), ("yes", None), (1, None)]
)
def test_only_a_ticked_box_asks_for_quotations(ticked: object, mode: str | None) -> None:
    assert sent("", Filters(), ticked, "http://here").mode == mode


def test_what_is_chosen_holds_for_asking_retrying_and_rewording(
    writing: Writing, model: ModelServer
) -> None:
    assistant = writing()
    page = Page(stored="", filters=Filters(), mode="quotation")
    first = list(dialogue.ask(assistant, page, WHO))[-1].conversation
    again = Page(stored=first.stored(), filters=Filters(), mode="quotation")
    list(dialogue.again(assistant, again, 1))
    list(dialogue.reworded(assistant, again, 0, f"{WHO}?"))
    assert model.calls == 0


def test_a_mark_stands_in_the_growing_text_in_what_is_kept_and_in_the_file(
    writing: Writing,
) -> None:
    page = Page(stored="", filters=Filters())
    views = list(dialogue.ask(writing("add a claim"), page, WHO))
    done = views[-1].conversation
    (exchange,) = done.exchanges
    assert UNSUPPORTED in exchange.text
    assert UNSUPPORTED in exchange.copy_text
    assert UNSUPPORTED in done.as_markdown()
    assert f"***{UNSUPPORTED}***" in exchange.markdown
    assert "Written by the chat model" in exchange.proof
    assert Conversation.parse(done.stored()) == done


def test_quotations_take_the_place_of_a_broken_answer(writing: Writing) -> None:
    page = Page(stored="", filters=Filters())
    (exchange,) = list(dialogue.ask(writing("cut"), page, WHO))[-1].conversation.exchanges
    assert exchange.state == "done"
    assert exchange.notices[0].startswith("The chat model's answer broke off")
    assert "Several groups take part in the Lantern Review:" in exchange.text
