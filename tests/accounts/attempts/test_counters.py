"""Counters let no more attempts pass than their limit, with the server and without it."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import redis

from accounts.attempts import counters, limits
from accounts.attempts.counters import Count, Counter, count
from tests.accounts.attempts.conftest import REDIS_URL
from tests.accounts.attempts.visiting import HOME, OTHER

pytestmark = pytest.mark.django_db

AT = 1_561_939_200.0


def tries(number: int, *, at_s: float = AT, most: int = 5, window_s: int = 60) -> int:
    """Returns how many of so many attempts pass."""
    wanted = [Count(Counter("test", window_s), most=most)]
    return sum(count(wanted, at_s=at_s).reached is None for _ in range(number))


def test_no_more_attempts_pass_than_the_limit_allows() -> None:
    assert tries(8, most=5) == 5
    assert tries(8, most=5) == 0


def test_a_refused_attempt_does_not_prolong_the_wait() -> None:
    tries(100, most=5)

    assert tries(1, at_s=AT + 61, most=5) == 1


def test_a_window_slides_and_does_not_start_again_at_its_border() -> None:
    """With consecutive windows, twice the limit would pass around a border."""
    assert tries(5, at_s=AT + 59.9) == 5
    assert tries(5, at_s=AT + 60.1) == 0
    assert tries(5, at_s=AT + 120) == 5


def test_an_attempt_counts_against_no_limit_when_one_is_reached() -> None:
    narrow, wide = Counter("narrow", 60), Counter("wide", 60)
    for _ in range(9):
        count([Count(wide, most=100), Count(narrow, most=2)], at_s=AT)

    assert count([Count(wide, step=0), Count(narrow, step=0)], at_s=AT).now == [2, 2]


def test_the_limit_holds_for_a_hundred_attempts_at_once() -> None:
    passed: list[bool] = []
    start = threading.Barrier(20)

    def crowd() -> None:
        start.wait()
        for _ in range(5):
            reached = count([Count(Counter("crowd", 60), most=7)], at_s=AT).reached
            passed.append(reached is None)

    threads = [threading.Thread(target=crowd) for _ in range(20)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert (len(passed), sum(passed)) == (100, 7)


def test_each_different_member_is_counted_once() -> None:
    for _ in range(3):
        for member in ("a", "b", "c"):
            last = count([Count(Counter("members", 3600, member))], at_s=AT)

    assert last.now == [3]


def test_every_counter_expires(server: redis.Redis, settings: Any) -> None:
    count([Count(Counter("a", 60)), Count(Counter("b", 3600, "member"))], at_s=AT)

    kept = list(server.scan_iter(f"{settings.COUNTERS_PREFIX}:*"))
    assert len(kept) == 2
    assert all(0 < server.ttl(key) <= 7200 for key in kept)


def test_a_process_counts_by_itself_and_allows_less_without_the_server(server_gone: None) -> None:
    asked = [limits.allow("reset_request", key=str(n), network=HOME) for n in range(20)]

    assert asked == [True] * 5 + [False] * 15
    assert limits.allow("reset_request", key="somebody", network=OTHER)


def test_memory_stays_bounded_without_the_server(
    server_gone: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counters, "ALONE_KEYS_MAX", 100)
    for n in range(1_000):
        count([Count(Counter(f"name-{n}", 60)), Count(Counter("all", 60, str(n)))], at_s=AT)

    assert len(counters._alone._numbers) == 100
    assert [len(members) for members in counters._alone._members.values()] == [100]


def test_the_server_counts_again_when_it_is_back(
    server: redis.Redis, server_gone: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries(3)
    gone_since = counters._lost_until[0]
    tries(3)
    assert counters._lost_until[0] == gone_since, "it is not asked with every attempt"
    assert not list(server.scan_iter(f"{settings.COUNTERS_PREFIX}:*"))

    settings.REDIS_URL = REDIS_URL
    monkeypatch.setattr(counters, "_lost_until", [0.0])
    tries(1)

    assert list(server.scan_iter(f"{settings.COUNTERS_PREFIX}:*"))
