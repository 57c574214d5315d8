"""A chat model over real HTTP: whole answers, every fault, and what each costs."""

import gc
import logging
import threading
import traceback
from collections.abc import Iterator

import pytest
from model_answers import BEGIN
from model_material import HONEST, KEY, PROMPT, SECRET, model_of, outcome
from model_server import ModelServer, model_server
from model_wire import KEY_ECHO

from assistant.models import Message, ModelError, ModelFault, load_chat_model

WAYS = pytest.mark.parametrize("streamed", [True, False], ids=["streamed", "whole"])
F = ModelFault


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with model_server() as running:
        yield running


@WAYS
def test_an_answer_comes_whole(server: ModelServer, streamed: bool) -> None:
    assert outcome(model_of(server), streamed) == (HONEST, None)
    assert server.calls == 1


def test_an_answer_comes_in_pieces(server: ModelServer) -> None:
    assert len(list(model_of(server).stream(PROMPT))) > 5


def test_the_prompt_arrives_as_it_was_written(server: ModelServer) -> None:
    model_of(server, most_tokens=321).complete(PROMPT, most_tokens=123)
    request = server.requests[0]
    assert [(m["role"], m["content"]) for m in request["messages"]] == [
        (m.role, m.content) for m in PROMPT
    ]
    assert (request["max_tokens"], request["temperature"]) == (123, 0)
    assert not {"tools", "functions"} & set(request)


def test_a_conversation_keeps_its_roles(server: ModelServer) -> None:
    turns = [
        Message(role="user", content="one"),
        Message(role="assistant", content="{two} {{three}} %s"),
        Message(role="user", content="four"),
    ]
    model_of(server).complete(turns)
    assert [(m["role"], m["content"]) for m in server.requests[0]["messages"]] == [
        (m.role, m.content) for m in turns
    ]


FAULTS = {
    "400": F.ERROR, "400 context": F.NO_ROOM, "401": F.KEY_REFUSED, "402": F.KEY_REFUSED,
    "403": F.KEY_REFUSED, "404": F.NO_SUCH_MODEL, "429": F.BUSY, "500": F.ERROR,
    "503": F.BUSY, "redirect": F.ERROR, "html page": F.BROKEN, "not json": F.BROKEN,
    "gzip lie": F.BROKEN, "wrong type": F.BROKEN, "bad json": F.BROKEN, "bad utf8": F.BROKEN,
    "error event": F.BROKEN, "cut": F.BROKEN, "cut early": F.BROKEN,
    "cut without finish": F.BROKEN, "empty": F.EMPTY, "spaces": F.EMPTY,
    "null content": F.EMPTY, "length": F.TOO_LONG, "huge": F.TOO_LONG, "filter": F.DECLINED,
    "tool call": F.DECLINED, "declined": F.DECLINED,
}  # fmt: skip
# Where the provider's package shows the two ways differently.
STREAMED = {
    "no choices": F.EMPTY,
    "usage only": F.EMPTY,
    "declined": F.DECLINED,
    "loop": F.TOO_LONG,
}
WHOLE = {"no choices": F.BROKEN, "usage only": F.BROKEN}
CASES = [
    *((mode, True, fault) for mode, fault in {**FAULTS, **STREAMED}.items()),
    *((mode, False, fault) for mode, fault in {**FAULTS, **WHOLE}.items()),
]


@pytest.mark.parametrize(("mode", "streamed", "fault"), CASES)
def test_every_failure_is_named_and_costs_one_call(
    server: ModelServer, mode: str, streamed: bool, fault: ModelFault
) -> None:
    server.mode = mode
    text, found = outcome(model_of(server), streamed)
    assert found is fault
    assert len(text) <= 8000
    assert server.calls == 1
    assert server.idle()


@pytest.mark.parametrize(
    ("mode", "limit"),
    [
        ("stall", "first_token_s"),
        ("stall", "total_s"),
        ("stall amid", "gap_s"),
        ("stall amid", "total_s"),
        ("drip", "total_s"),
    ],
)
def test_a_slow_answer_is_given_up(server: ModelServer, mode: str, limit: str) -> None:
    server.mode = mode
    server.drip_s = 0.1
    text, fault = outcome(model_of(server, **{limit: 0.5}))
    assert fault is ModelFault.SLOW
    assert bool(text) == (mode != "stall")
    assert server.idle()


@pytest.mark.parametrize("mode", ["stall", "drip", "loop"])
def test_a_slow_answer_in_one_piece_is_given_up(server: ModelServer, mode: str) -> None:
    server.mode = mode
    assert outcome(model_of(server, first_token_s=0.5), streamed=False) == ("", F.SLOW)
    assert server.idle()


def test_an_answer_that_drips_within_the_limits_is_whole(server: ModelServer) -> None:
    server.mode = "drip"
    server.drip_s = 0.01
    assert outcome(model_of(server)) == (HONEST, None)


@WAYS
@pytest.mark.parametrize("mode", ["429 soon", "503 soon"])
def test_one_more_try_when_the_provider_asks_for_it(
    server: ModelServer, mode: str, streamed: bool
) -> None:
    server.script = [mode]
    assert outcome(model_of(server), streamed) == (HONEST, None)
    assert server.calls == 2


@WAYS
def test_never_more_than_one_more_try(server: ModelServer, streamed: bool) -> None:
    server.mode = "429 soon"
    assert outcome(model_of(server), streamed) == ("", ModelFault.BUSY)
    assert server.calls == 2


def test_no_other_try_when_the_wait_would_be_long(server: ModelServer) -> None:
    server.mode = "429 later"
    assert outcome(model_of(server)) == ("", ModelFault.BUSY)
    assert server.calls == 1


def test_no_server_there() -> None:
    with model_server() as server:
        model = model_of(server)
    assert outcome(model) == ("", ModelFault.UNREACHABLE)


@WAYS
def test_a_redirect_is_not_followed(server: ModelServer, streamed: bool) -> None:
    server.mode = "redirect"
    outcome(model_of(server), streamed)
    assert (server.calls, server.elsewhere) == (1, 0)


@pytest.mark.parametrize("mode", ["stall amid", "drip", "loop"])
def test_closing_the_stream_ends_the_call(server: ModelServer, mode: str) -> None:
    server.mode = mode
    server.drip_s = 0.3
    stream = model_of(server).stream(PROMPT)
    assert next(stream)
    assert server.open == 1
    stream.close()  # type: ignore[attr-defined]
    assert server.idle()


def test_nothing_is_sent_before_the_first_piece_is_asked_for(server: ModelServer) -> None:
    stream = model_of(server).stream(PROMPT)
    assert server.calls == 0
    assert "".join(stream) == HONEST


def test_thoughts_before_an_answer_are_left_out(server: ModelServer) -> None:
    server.mode = "thoughts"
    assert outcome(model_of(server)) == (HONEST, None)


@pytest.mark.parametrize("text", ["<", "<thin", "< 5 [1]"])
def test_what_only_looks_like_a_thought_is_kept(server: ModelServer, text: str) -> None:
    server.rewritten = text
    asked = [Message(role="user", content="Rewrite this.")]
    assert "".join(model_of(server).stream(asked)) == text


def test_unclosed_thoughts_are_no_answer(server: ModelServer) -> None:
    server.rewritten = "<think>Let me see."
    with pytest.raises(ModelError) as raised:
        list(model_of(server).stream([Message(role="user", content="Rewrite this.")]))
    assert raised.value.fault is ModelFault.EMPTY


@WAYS
@pytest.mark.parametrize("mode", ["401", "error event", "bad utf8", "filter", "stall amid"])
def test_neither_text_nor_key_reaches_the_log_or_the_error(
    server: ModelServer, caplog: pytest.LogCaptureFixture, mode: str, streamed: bool
) -> None:
    server.mode = mode
    model = model_of(server, gap_s=0.3, first_token_s=0.5)
    with caplog.at_level(logging.INFO), pytest.raises(ModelError) as raised:
        if streamed:
            list(model.stream(PROMPT))
        else:
            model.complete(PROMPT)
    # Without our own frames, whose source lines say "KEY".
    seen = caplog.text + "".join(traceback.format_exception_only(raised.value))
    chained = (raised.value.__cause__, raised.value.__context__)
    assert chained == (None, None)
    for private in (KEY, KEY_ECHO, "sk-", SECRET, "Ruritania", BEGIN.strip(), "four and a half"):
        assert private not in seen
    assert f"chat model: {raised.value.fault.value}" in seen


def test_the_name_is_the_one_it_was_asked_by(server: ModelServer) -> None:
    assert model_of(server).name == "openai:test"
    assert load_chat_model(" openai:a:b ", base_url=server.url).name == "openai:a:b"


def test_a_model_that_is_gone_leaves_no_thread(server: ModelServer) -> None:
    def threads() -> set[threading.Thread]:
        return {thread for thread in threading.enumerate() if thread.name == "chat model"}

    before = threads()
    model = model_of(server)
    model.complete(PROMPT)
    (mine,) = threads() - before
    del model
    gc.collect()
    mine.join(10)
    assert not mine.is_alive()
