"""The chat page: what stands where, and which click leads to which view.

The only file that imports Gradio, and where everything is set that Gradio leaves open
(routes are closed in `headers`). Decides nothing; `dialogue` says what to show.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI

from assistant.privacy import quiet_process
from assistant.web import dialogue, shelf
from assistant.web.chat_html import HEAD
from assistant.web.dialogue import Page, View
from index.catalogue import Catalogue

quiet_process()

import gradio as gr  # noqa: E402 - it reads its switches when it is imported

if TYPE_CHECKING:
    from assistant.chain import Assistant

_THREADS = 64
"""Answers that may be written at once; each takes a thread."""

_ENDING = 0.4
"""Seconds that stopping an answer takes at most; the page says so afterwards."""

_WAITING = 128
"""Questions that may wait for a thread; past that Gradio says it is busy."""

_SESSIONS = 200
"""Pages of which Gradio may remember settings; what they hold is forgotten after each step."""


def mount(app: FastAPI, assistant: "Assistant", path: str) -> None:
    """Put the chat page into `app` at `path`, closed to everything that it does not need."""
    page = _page(assistant)
    page.max_threads = _THREADS
    page.state_session_capacity = _SESSIONS
    page.queue(max_size=_WAITING, default_concurrency_limit=None, api_open=False)
    gr.mount_gradio_app(
        app,
        page,
        path=path,
        ssr_mode=False,
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        show_error=False,
        max_file_size="1kb",
        allowed_paths=[],
        blocked_paths=["/"],
        mcp_server=False,
        pwa=False,
        theme=gr.themes.Default(primary_hue="blue", **shelf.FONTS),
        head=HEAD,
    )
    # Mounting leaves this unset, and unset it lets anyone read files by naming them.
    page.has_launched = True


class _Parts:
    """The components of the page, made in the order in which they stand."""

    def __init__(self, assistant: "Assistant") -> None:
        catalogue, starters = shelf.offered(assistant)
        self._choice = len(assistant.modes) > 1
        gr.Markdown(shelf.introduction(assistant.modes), elem_id="introduction")
        with gr.Tabs():
            with gr.Tab("Chat", id="chat"):
                self._chat(catalogue, starters)
            with gr.Tab("Library", id="library"):
                self._library(catalogue)
        # The page's own memory: what the server is told again with each question.
        self.stored = gr.Textbox(visible="hidden", elem_id="conversation", label="Conversation")

    def _chat(self, catalogue: Catalogue, starters: Sequence[str]) -> None:
        with gr.Column(elem_id="starters") as self.starters_group:
            gr.Markdown("## Questions to start with")
            self.starters = [gr.Button(text, visible=bool(text)) for text in starters]
        self.chat = gr.Chatbot(
            label="Conversation",
            elem_id="chat-log",
            show_label=False,
            height="max(20rem, 100dvh - 24rem)",
            autoscroll=False,
            visible=False,
            editable="user",
            layout="bubble",
            buttons=[],
            feedback_options=None,
            latex_delimiters=[],
            allow_tags=False,
            sanitize_html=True,
            allow_file_downloads=False,
            group_consecutive_messages=False,
        )
        self.status = gr.Markdown("", elem_id="status")
        with gr.Row(elem_id="asking"):
            self.typed = gr.Textbox(
                label="Your question",
                placeholder="Ask about the documents in the library",
                elem_id="question",
                lines=1,
                max_lines=6,
                max_length=2_000,
                scale=5,
            )
            self.ask = gr.Button("Ask", variant="primary", elem_id="ask", scale=1, min_width=80)
            self.stop = gr.Button("Stop", elem_id="stop", visible=False, scale=1, min_width=80)
        self.quotations = gr.Checkbox(
            label=shelf.ONLY_QUOTATIONS, visible=self._choice, elem_id="only-quotations"
        )
        with gr.Accordion("Search only in some documents", open=False, elem_id="filters"):
            self.kinds = gr.CheckboxGroup(
                choices=shelf.kind_choices(catalogue), label="Kinds of documents", elem_id="kinds"
            )
            self.documents = gr.Dropdown(
                choices=shelf.document_choices(catalogue),
                value=[],
                multiselect=True,
                label="Documents",
                elem_id="documents",
            )
        with gr.Row(elem_id="keeping"):
            self.new = gr.Button("New conversation", elem_id="new", size="sm")
            self.save = gr.Button("Save as Markdown", elem_id="save", size="sm")

    def _library(self, catalogue: Catalogue) -> None:
        gr.Markdown("## Library")
        with gr.Row():
            self.sought = gr.Textbox(
                label="Words in title, kind or text", elem_id="sought", max_length=200
            )
            self.sought_kind = gr.Dropdown(
                choices=[("All kinds", ""), *shelf.kind_choices(catalogue)],
                value="",
                label="Kind",
                elem_id="sought-kind",
            )
        self.shelf = gr.Markdown(shelf.shelf(catalogue), elem_id="shelf")


def _page(assistant: "Assistant") -> gr.Blocks:
    with gr.Blocks(title="Rapporteur", analytics_enabled=False) as page:
        parts = _Parts(assistant)
        _Wiring(assistant, parts, page).connect()
    return page


class _Wiring:
    """Which event leads to which view. Holds the page's parts and nothing of any visitor."""

    # Values go to our own checks as they come, not through Gradio's.
    _RAW: dict[str, Any] = {"preprocess": False, "api_visibility": "private"}  # noqa: RUF012

    def __init__(self, assistant: "Assistant", parts: _Parts, page: gr.Blocks) -> None:
        self._assistant = assistant
        self._parts = parts
        self._page = page
        self._shown = [
            parts.stored,
            parts.chat,
            parts.status,
            parts.typed,
            parts.starters_group,
            parts.ask,
            parts.stop,
        ]

    def connect(self) -> None:
        """Bind every event of the page."""
        parts, quick = self._parts, {**self._RAW, "queue": False, "outputs": self._shown}
        slow = {**self._RAW, "outputs": self._shown, "show_progress": "hidden"}
        context = [parts.stored, parts.kinds, parts.documents, parts.quotations]
        ask = gr.on(
            [parts.ask.click, parts.typed.submit], self._asked, [*context, parts.typed], **slow
        )
        runs: list[Any] = [ask]
        runs += [
            starter.click(self._asked, [*context, starter], **slow) for starter in parts.starters
        ]
        runs += [
            trigger(self._did(what), context, **slow)
            for trigger, what in (
                (parts.chat.option_select, self._followed),
                (parts.chat.retry, self._retried),
                (parts.chat.edit, self._edited),
            )
        ]
        parts.stop.click(None, cancels=runs).then(self._stopped, [parts.stored], **quick)
        parts.new.click(None, cancels=runs).then(self._cleared, None, **quick)
        parts.chat.clear(None, cancels=runs).then(self._cleared, None, **quick)
        parts.chat.undo(self._undone, [parts.stored], **quick)
        self._connect_library()

    def _connect_library(self) -> None:
        parts = self._parts
        sought = [parts.sought, parts.sought_kind]
        for event in (parts.sought.change, parts.sought_kind.change):
            event(
                self._searched,
                sought,
                [parts.shelf],
                show_progress="hidden",
                trigger_mode="always_last",
                queue=False,
                **self._RAW,
            )
        # The library may have changed since the server started.
        self._page.load(
            self._current,
            None,
            [*parts.starters, parts.kinds, parts.documents, parts.sought_kind, parts.shelf],
            show_progress="hidden",
            queue=False,
            api_visibility="private",
        )
        self._page.unload(self._left)

    def _asked(self, request: gr.Request, *given: Any) -> Iterator[list[Any]]:
        *context, typed = given
        page = _sent(context, request)
        yield from self._views(dialogue.ask(self._assistant, page, typed), request)

    def _did(self, what: Callable[[Page, gr.EventData], Iterator[View]]) -> Callable[..., Any]:
        """The handler of something done to a message: `what` says what follows from it."""

        def handler(event: gr.EventData, request: gr.Request, *context: Any) -> Iterator[list[Any]]:
            page = _sent(context, request)
            yield from self._views(what(page, event), request)

        return handler

    def _followed(self, page: Page, event: gr.EventData) -> Iterator[View]:
        return dialogue.ask(self._assistant, page, getattr(event, "value", None))

    def _retried(self, page: Page, event: gr.EventData) -> Iterator[View]:
        return dialogue.again(self._assistant, page, getattr(event, "index", None))

    def _edited(self, page: Page, event: gr.EventData) -> Iterator[View]:
        index, words = getattr(event, "index", None), getattr(event, "value", None)
        return dialogue.reworded(self._assistant, page, index, words)

    def _stopped(self, stored: object, request: gr.Request) -> list[Any]:
        # The page ends the answer with a request of its own, at the same time as this one,
        # and mistakes a question that is asked before that is through for a failed one.
        time.sleep(_ENDING)
        return self._last(dialogue.stopped(stored), request)

    def _undone(self, stored: Any, event: gr.EventData, request: gr.Request) -> list[Any]:
        return self._last(dialogue.undone(stored, getattr(event, "index", None)), request)

    def _cleared(self, request: gr.Request) -> list[Any]:
        return self._last(dialogue.cleared(), request)

    def _searched(self, query: object, kind: object, request: gr.Request) -> str:
        self._forget(request)
        return shelf.shelf(self._assistant.catalogue(), query, kind)

    def _current(self) -> list[Any]:
        catalogue, starters = shelf.offered(self._assistant)
        choices = shelf.kind_choices(catalogue)
        return [
            *[gr.update(value=text, visible=bool(text)) for text in starters],
            gr.update(choices=choices),
            gr.update(choices=shelf.document_choices(catalogue)),
            gr.update(choices=[("All kinds", ""), *choices]),
            shelf.shelf(catalogue),
        ]

    def _left(self, request: gr.Request) -> None:
        self._forget(request)

    def _views(self, views: Iterator[View], request: gr.Request) -> Iterator[list[Any]]:
        try:
            for view in views:
                yield _updates(view)
        finally:
            self._forget(request)

    def _last(self, view: View, request: gr.Request) -> list[Any]:
        self._forget(request)
        return _updates(view)

    def _forget(self, request: gr.Request) -> None:
        """Drop what Gradio remembers of a visitor's page.

        It would keep the last question and conversation in memory, long after the page
        is closed. Nothing here needs it.
        """
        holder = self._page.state_holder
        if request.session_hash is not None:
            holder.session_data.pop(request.session_hash, None)
            holder.time_last_used.pop(request.session_hash, None)


def _sent(context: Sequence[Any], request: gr.Request) -> Page:
    stored, kinds, documents, quotations = context
    # `headers` has checked that this is an address of ours.
    origin = request.headers.get("origin") or ""
    return dialogue.sent(stored, shelf.filters(kinds, documents), quotations, origin)


def _updates(view: View) -> list[Any]:
    """A view as values for the parts that change, in the order of `_Wiring._shown`."""
    messages = view.conversation.messages()
    return [
        view.conversation.stored(),
        gr.update(value=messages, visible=bool(messages)),
        dialogue.status_markdown(view),
        gr.skip() if view.typed is None else view.typed,
        gr.update(visible=not messages),
        gr.update(visible=not view.busy),
        gr.update(visible=view.busy),
    ]
