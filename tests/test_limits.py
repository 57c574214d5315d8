"""Quotas, running answers, and whose question counts for whom."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from ipaddress import ip_network
from typing import Any

import pytest
from loops import run

from assistant.web.addresses import client_address
from assistant.web.limits import Busy, OverQuota, Quotas, RunningAnswers, share, visitor
from corpus.errors import ExpectedError

PROXIES = (ip_network("10.0.0.0/8"), ip_network("127.0.0.1/32"), ip_network("fd00::/8"))


def scope(peer: str, *forwarded: str) -> dict[str, Any]:
    headers = [(b"x-forwarded-for", value.encode("latin-1")) for value in forwarded]
    return {"type": "http", "client": (peer, 5), "headers": [(b"host", b"x"), *headers]}


# --- where a question comes from -----------------------------------------------------------


def test_nobody_is_believed_unless_configured() -> None:
    seen = {client_address(scope("203.0.113.9", f"198.51.100.{n}"), ()) for n in range(50)}
    assert seen == {"203.0.113.9"}
    assert client_address(scope("203.0.113.9", "198.51.100.1"), PROXIES) == "203.0.113.9"


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        (("198.51.100.7",), "198.51.100.7"),
        (("1.2.3.4, 198.51.100.7",), "198.51.100.7"),
        (("1.2.3.4", "198.51.100.7"), "198.51.100.7"),
        (("1.2.3.4, 198.51.100.7, 10.1.1.1",), "198.51.100.7"),
        (("2001:db8::1",), "2001:db8::1"),
        (("::ffff:198.51.100.7",), "198.51.100.7"),
        (("garbage",), "10.0.0.1"),
        (("198.51.100.7, garbage",), "10.0.0.1"),
        (("::1",), "10.0.0.1"),
        (("198.51.100.7:4711",), "10.0.0.1"),
        (("",), "10.0.0.1"),
        (("10.2.2.2, 10.1.1.1",), "10.0.0.1"),
        ((), "10.0.0.1"),
    ],
)
def test_a_proxy_is_believed_for_what_it_saw_itself(
    forwarded: tuple[str, ...], expected: str
) -> None:
    assert client_address(scope("10.0.0.1", *forwarded), PROXIES) == expected


def test_a_proxy_that_connects_by_ipv6_is_known_by_its_ipv4_address() -> None:
    assert client_address(scope("::ffff:10.0.0.1", "198.51.100.7"), PROXIES) == "198.51.100.7"


def test_a_connection_without_an_address_has_none() -> None:
    assert client_address({"type": "http", "client": None, "headers": []}, PROXIES) == ""


# --- who counts as one visitor -------------------------------------------------------------


def test_the_addresses_of_a_network_are_one_visitor() -> None:
    assert len({visitor(f"198.51.100.{n}") for n in range(256)}) == 1
    assert len({visitor(f"2001:db8:1:2:{n:x}::{n:x}") for n in range(10_000)}) == 1
    assert visitor("::ffff:198.51.100.7") == visitor("198.51.100.7")
    assert len({visitor(a) for a in ("198.51.100.1", "198.51.101.1", "::1", "0.0.0.1")}) == 4


@pytest.mark.parametrize("text", ["garbage", "", "198.51.100.7:80", "\udcff", "a" * 10_000])
def test_whatever_is_no_address_is_one_visitor(text: str) -> None:
    assert visitor(text) == visitor("nonsense")


def test_the_name_of_a_visitor_tells_nothing_but_is_the_same_where_a_secret_is_shared() -> None:
    address = "198.51.100.7"
    assert visitor(address) == visitor(address)
    assert visitor(address, "one secret") != visitor(address, "another")
    assert visitor(address, "one secret") == visitor(address, "one secret")
    assert visitor(address) != visitor(address, "one secret")


# --- quotas --------------------------------------------------------------------------------


def spent(quotas: Quotas, *parts: str, visitor: str = "", minute: int, day: int = 10**6) -> int:
    """How many of 1000 questions were let in."""
    allowed = 0
    for _ in range(1000):
        try:
            quotas.spend(*parts, visitor=visitor, per_minute=minute, per_day=day)
        except OverQuota:
            continue
        allowed += 1
    return allowed


@pytest.fixture
def quotas() -> Iterator[Quotas]:
    yield Quotas()


def test_each_window_holds(quotas: Quotas) -> None:
    # A minute may end while the test runs, so up to two of them are seen.
    assert spent(quotas, "pub_a", minute=30) in {30, 60}
    assert spent(quotas, "pub_b", minute=10**5, day=70) == 70


def test_sites_and_visitors_are_counted_apart(quotas: Quotas) -> None:
    assert spent(quotas, "pub_a", visitor="v1", minute=10**5, day=7) == 7
    assert spent(quotas, "pub_a", visitor="v2", minute=10**5, day=7) == 7
    assert spent(quotas, "pub_b", visitor="v1", minute=10**5, day=7) == 7
    assert spent(quotas, "pub_a", minute=10**5, day=20) == 20


def test_nothing_is_let_in_where_the_quota_is_nothing(quotas: Quotas) -> None:
    assert spent(quotas, "pub_a", minute=0, day=0) == 0


def test_it_says_when_to_come_back(quotas: Quotas) -> None:
    for _ in range(2):
        quotas.spend("pub_a", per_minute=100, per_day=2)
    with pytest.raises(OverQuota) as over:
        quotas.spend("pub_a", per_minute=100, per_day=2)
    assert 60 < over.value.retry_after <= 24 * 3600
    with pytest.raises(OverQuota) as over:
        quotas.spend("pub_b", per_minute=0, per_day=2)
    assert 1 <= over.value.retry_after <= 60


def test_any_number_of_visitors_has_a_bounded_number_of_counters() -> None:
    few = Quotas(buckets=8)
    allowed = 0
    for number in range(3000):
        try:
            few.spend(
                "pub_a", visitor=visitor(f"2001:db8:{number:x}::1"), per_minute=10**5, per_day=5
            )
        except OverQuota:
            continue
        allowed += 1
    assert allowed == 8 * 5


def test_one_visitor_gets_a_fifth() -> None:
    assert [share(total) for total in (1, 4, 30, 2000)] == [1, 1, 6, 400]


@pytest.mark.parametrize("store", ["", "nonsense", "file:///x", "async+memory://"])
def test_a_store_that_cant_be_used_is_told(store: str) -> None:
    with pytest.raises(ExpectedError, match="RAPPORTEUR_QUOTA_STORE"):
        Quotas(store)


# --- answers that run at once --------------------------------------------------------------


def test_as_many_run_as_may_and_the_rest_wait_in_line() -> None:
    async def scene() -> tuple[int, list[int]]:
        running = RunningAnswers(3, waiting=100, patience=60)
        inside = most = 0
        order: list[int] = []

        async def ask(number: int) -> None:
            nonlocal inside, most
            async with running.slot():
                inside += 1
                most = max(most, inside)
                order.append(number)
                await asyncio.sleep(0)
                inside -= 1

        await asyncio.gather(*(ask(number) for number in range(50)))
        return most, order

    most, order = run(scene())
    assert most == 3
    assert order == list(range(50))


def test_past_the_line_one_is_sent_away_at_once() -> None:
    async def scene() -> None:
        running = RunningAnswers(1, waiting=1, patience=60)
        async with running.slot():
            waiting = asyncio.create_task(_through(running))
            await asyncio.sleep(0)
            with pytest.raises(Busy) as busy:
                await _through(running)
            assert busy.value.retry_after >= 1
        await waiting
        await _through(running)

    run(scene())


def test_who_waits_too_long_is_sent_away_and_leaves_the_line() -> None:
    async def scene() -> None:
        running = RunningAnswers(1, waiting=1, patience=0.01)
        async with running.slot():
            for _ in range(3):
                with pytest.raises(Busy):
                    await _through(running)
        await _through(running)

    run(scene())


def test_places_come_back_after_errors_and_closed_connections() -> None:
    async def scene() -> None:
        running = RunningAnswers(2, waiting=5, patience=60)
        for _ in range(5):
            with pytest.raises(RuntimeError):
                async with running.slot():
                    raise RuntimeError
        async with AsyncExitStack() as held:
            for _ in range(2):
                await held.enter_async_context(running.slot())
            waiting = [asyncio.create_task(_through(running)) for _ in range(5)]
            await asyncio.sleep(0)
            for task in waiting:
                task.cancel()
            ended = await asyncio.gather(*waiting, return_exceptions=True)
            assert all(isinstance(end, asyncio.CancelledError) for end in ended)
        async with AsyncExitStack() as held:
            for _ in range(2):
                await held.enter_async_context(running.slot())

    run(scene())


async def _through(running: RunningAnswers) -> None:
    async with running.slot():
        pass
