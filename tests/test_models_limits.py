"""What a chat model may cost: calls a minute, calls at once, and a pause after failures."""

import threading
import time
from collections.abc import Iterator

import pytest
from model_material import HONEST, PROMPT, model_of, outcome
from model_server import ModelServer, model_server

from assistant.models import ChatModel, ModelError, ModelFault, ModelLimits

SPENT = ("", ModelFault.SPENT)


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with model_server() as running:
        yield running


def fault_once_open(model: ChatModel) -> ModelFault | None:
    """What the first call gives that is let through."""
    end = time.monotonic() + 20
    while (found := outcome(model)) == SPENT and time.monotonic() < end:
        time.sleep(0.02)
    return found[1]


def test_the_limits_that_stand_when_none_are_set() -> None:
    limits = ModelLimits()
    assert (limits.connect_s, limits.first_token_s, limits.gap_s, limits.total_s) == (5, 20, 10, 60)
    assert (limits.most_tokens, limits.most_characters) == (700, 8000)
    assert (limits.answers_per_minute, limits.at_once) == (30, 4)
    assert (limits.failures, limits.rest_s) == (5, 60)


def test_answers_beyond_those_of_a_minute_are_not_asked_for(server: ModelServer) -> None:
    model = model_of(server, answers_per_minute=2)
    assert [outcome(model) for _ in range(3)] == [(HONEST, None), (HONEST, None), SPENT]
    assert server.calls == 2


def test_short_calls_are_counted_by_themselves(server: ModelServer) -> None:
    model = model_of(server, answers_per_minute=1)
    assert outcome(model, streamed=False) == (HONEST, None)
    assert outcome(model, streamed=True) == (HONEST, None)
    assert outcome(model, streamed=False) == SPENT
    assert server.calls == 2


def test_answers_are_cut_at_the_limit_of_characters(server: ModelServer) -> None:
    assert outcome(model_of(server, most_characters=40)) == (HONEST[:40], ModelFault.TOO_LONG)
    assert server.idle()


@pytest.mark.parametrize("mode", ["401", "500", "cut", "empty", "429"])
def test_after_failures_in_a_row_it_is_not_called(server: ModelServer, mode: str) -> None:
    server.mode = mode
    model = model_of(server, failures=3)
    assert SPENT not in [outcome(model) for _ in range(3)]
    assert [outcome(model), outcome(model, streamed=False)] == [SPENT, SPENT]
    assert server.calls == 3


def test_one_success_ends_the_count_of_failures(server: ModelServer) -> None:
    model = model_of(server, failures=2)
    server.script = ["500", "honest", "500", "honest"]
    assert SPENT not in [outcome(model) for _ in range(4)]


@pytest.mark.parametrize("mode", ["length", "filter", "400 context"])
def test_what_concerns_one_question_is_no_failure_of_the_provider(
    server: ModelServer, mode: str
) -> None:
    server.mode = mode
    model = model_of(server, failures=1)
    assert SPENT not in [outcome(model) for _ in range(3)]


def test_one_call_tries_again_after_the_pause(server: ModelServer) -> None:
    model = model_of(server, failures=2, rest_s=0.3)
    server.script = ["500", "500", "500"]
    outcome(model)
    outcome(model)
    assert fault_once_open(model) is ModelFault.ERROR
    assert server.calls == 3
    assert fault_once_open(model) is None
    assert server.calls == 4
    assert outcome(model) == (HONEST, None)


def test_only_one_call_tries_again(server: ModelServer) -> None:
    model = model_of(server, failures=1, rest_s=0.0)
    server.script = ["500", "stall amid"]
    outcome(model)
    trial = model.stream(PROMPT)
    next(trial)
    assert outcome(model) == SPENT
    trial.close()  # type: ignore[attr-defined]
    assert server.idle()
    # A trial that nobody waited for says nothing; the next call is one.
    assert fault_once_open(model) is None


def test_no_more_than_so_many_at_once(server: ModelServer) -> None:
    server.mode = "drip"
    server.drip_s = 0.02
    model = model_of(server, at_once=4, answers_per_minute=100)
    found: list[tuple[str, ModelFault | None]] = []
    threads = [threading.Thread(target=lambda: found.append(outcome(model))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.most_open <= 4
    assert len(found) == 20
    assert set(found) == {(HONEST, None), ("", ModelFault.BUSY)}
    # That this server is busy is no failure of the provider.
    server.mode = "honest"
    assert outcome(model) == (HONEST, None)


def test_a_place_is_free_again_when_a_stream_is_closed(server: ModelServer) -> None:
    server.mode = "stall amid"
    model = model_of(server, at_once=1)
    stream = model.stream(PROMPT)
    next(stream)
    assert outcome(model) == ("", ModelFault.BUSY)
    stream.close()  # type: ignore[attr-defined]
    assert server.idle()
    server.mode = "honest"
    end = time.monotonic() + 20
    while outcome(model)[1] is ModelFault.BUSY and time.monotonic() < end:
        time.sleep(0.02)
    assert outcome(model) == (HONEST, None)


def test_an_error_says_its_fault_and_no_more() -> None:
    error = ModelError(ModelFault.KEY_REFUSED)
    assert str(error) == "key refused"
