"""What happens to a question asked in the page, step by step, as views to show.

Owns the order of things: check the question, show it, show the answer as it grows,
end with the answer or one polite sentence. Keeps nothing between two calls, so
nothing of one visitor can reach another. Knows nothing of Gradio.
"""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from assistant.answers import DeltaEvent, DoneEvent, Mode, Reply
from assistant.marking import marked_piece
from assistant.questions import clean_question
from assistant.rendering import escape_markdown, unescape_markdown
from assistant.web.conversation import (
    Conversation,
    StoredExchange,
    failed,
    finished,
    pending,
    unreadable,
)
from corpus.errors import ExpectedError
from index.retrieval import Filters

if TYPE_CHECKING:
    from assistant.chain import Assistant

_LOG = logging.getLogger("rapporteur.web")

_SHOW_EVERY = 0.1
"""Seconds between two views of a growing answer: each one is sent to the page and drawn."""

READING = "Looking in the library…"
READY = "The answer is ready."


@dataclass(frozen=True, kw_only=True)
class View:
    """What the page shows now.

    `status` is one plain sentence; `typed` what to put into the question box (None
    leaves what is being written there); `busy` whether an answer is being written.
    """

    conversation: Conversation
    status: str = ""
    typed: str | None = None
    busy: bool = False


@dataclass(frozen=True, kw_only=True)
class Page:
    """What a page sent along with whatever its visitor did; none of it is believed.

    `stored` is the conversation as the page keeps it; `mode` how it wants to be answered,
    if it says; `base_url` the scheme and host of the page, for permalinks in copied text.
    """

    stored: object
    filters: Filters
    mode: Mode | None = None
    base_url: str = ""


def sent(stored: object, chosen: Filters, only_quotations: object, origin: str) -> Page:
    """What a page sent: its conversation, what it chose, and where it stands.

    `origin` is the scheme and host as the browser says.
    """
    return Page(
        stored=stored,
        filters=chosen,
        mode="quotation" if only_quotations is True else None,
        base_url=origin if origin != "null" else "",
    )


def ask(assistant: "Assistant", page: Page, question: object) -> Iterator[View]:
    """Answer `question` in the conversation of `page`; yields views, the last one final.

    Raises nothing: what goes wrong is told in the last view.
    """
    typed = question if isinstance(question, str) else ""
    conversation = Conversation()
    try:
        conversation = Conversation.parse(page.stored)
        cleaned = clean_question(typed)
        conversation.with_exchange(pending(cleaned))
    except ExpectedError as error:
        yield View(conversation=conversation, status=str(error))
        return
    yield from _answering(assistant, conversation, cleaned, page)


def _answering(
    assistant: "Assistant", conversation: Conversation, question: str, page: Page
) -> Iterator[View]:
    def view(exchange: StoredExchange, status: str, *, busy: bool = False) -> View:
        return View(conversation=conversation.with_exchange(exchange), status=status, busy=busy)

    yield replace(view(pending(question), READING, busy=True), typed="")
    try:
        reply = assistant.ask(question, conversation.turns(), page.filters, mode=page.mode)
        for exchange, status in _growing(reply, question, page.base_url):
            yield view(exchange, status, busy=exchange.state == "stopped")
    except ExpectedError as error:
        yield view(failed(question, error), str(error))
    except Exception as error:  # noqa: BLE001 - the boundary: no trace may reach a visitor
        # The class alone: a message may repeat the question or a provider's key.
        _LOG.error("an answer failed: %s", type(error).__name__)
        sorry = ExpectedError("Something went wrong while answering.", "Please try again.")
        yield view(failed(question, sorry), str(sorry))


def _growing(reply: Reply, question: str, base_url: str) -> Iterator[tuple[StoredExchange, str]]:
    text = ""
    shown_at = 0.0
    for event in reply:
        if isinstance(event, DeltaEvent):
            text += marked_piece(event)
            if time.monotonic() - shown_at >= _SHOW_EVERY:
                shown_at = time.monotonic()
                yield pending(question, text), READING
        elif isinstance(event, DoneEvent):
            yield finished(question, event.answer, base_url), READY
            return
    raise RuntimeError("the reply ended without an answer")


def again(assistant: "Assistant", page: Page, index: object) -> Iterator[View]:
    """Ask once more the question at message `index`; what came after it goes."""
    conversation, place = _place(page.stored, index)
    if place is None:
        yield View(conversation=conversation, status=str(unreadable()))
        return
    question = conversation.exchanges[place].question
    yield from ask(assistant, replace(page, stored=conversation.before(place).stored()), question)


def reworded(assistant: "Assistant", page: Page, index: object, words: object) -> Iterator[View]:
    """Ask the question at message `index` anew in other words; what came after it goes.

    Words that can't be asked leave everything as it was.
    """
    conversation, place = _place(page.stored, index)
    if place is None:
        yield View(conversation=conversation, status=str(unreadable()))
        return
    # The box to edit in holds the Markdown that the chat shows.
    plain_words = unescape_markdown(words) if isinstance(words, str) else ""
    try:
        clean_question(plain_words)
    except ExpectedError as error:
        yield View(conversation=conversation, status=str(error))
        return
    before = replace(page, stored=conversation.before(place).stored())
    yield from ask(assistant, before, plain_words)


def undone(stored: object, index: object) -> View:
    """Take back the question at message `index` and what came after; its words can be changed."""
    conversation, place = _place(stored, index)
    if place is None:
        return View(conversation=conversation, status=str(unreadable()))
    question = conversation.exchanges[place].question
    return View(conversation=conversation.before(place), status="Taken back.", typed=question)


def stopped(stored: object) -> View:
    """What is shown when a visitor stops an answer."""
    try:
        return View(conversation=Conversation.parse(stored), status="Stopped.")
    except ExpectedError as error:
        return View(conversation=Conversation(), status=str(error))


def cleared() -> View:
    """A new conversation."""
    return View(conversation=Conversation())


def status_markdown(view: View) -> str:
    """The status as Markdown; it may repeat foreign words."""
    return escape_markdown(view.status)


def _place(stored: object, index: object) -> tuple[Conversation, int | None]:
    """The conversation, and which exchange the message at `index` belongs to (None: none)."""
    try:
        conversation = Conversation.parse(stored)
    except ExpectedError:
        return Conversation(), None
    if isinstance(index, list | tuple) and index:
        index = index[0]
    if isinstance(index, bool) or not isinstance(index, int):
        return conversation, None
    place = index // 2
    return conversation, place if 0 <= place < len(conversation.exchanges) else None
