"""Who may try how often: one person, one network, everybody; against the real server, and without it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings
from django.test import RequestFactory

from accounts import counters, limits
from accounts.counters import Count, Counter, count
from accounts.origins import network_of

pytestmark = pytest.mark.django_db

AT = 1_561_939_200.0
HOME, OTHER = "198.51.100.7", "203.0.113.9"


REDIS_URL = django_settings.REDIS_URL


@pytest.fixture
def server() -> redis.Redis:
    return redis.Redis.from_url(REDIS_URL, decode_responses=True)


@pytest.fixture
def server_gone(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The counters' server does not answer; afterwards it is asked again."""
    settings.REDIS_URL = "unix:///nonexistent/valkey.sock"
    monkeypatch.setattr(counters, "_lost_until", [0.0])
    monkeypatch.setattr(counters, "_alone", counters._Alone())
    yield
    counters._shared.cache_clear()


# --- counters -----------------------------------------------------------------------------------


def tries(number: int, *, at_s: float = AT, most: int = 5, window_s: int = 60) -> int:
    """How many of so many attempts are let through."""
    wanted = [Count(Counter("test", window_s), most=most)]
    return sum(count(wanted, at_s=at_s).reached is None for _ in range(number))


def test_no_more_attempts_pass_than_the_limit_says() -> None:
    assert tries(8, most=5) == 5
    assert tries(8, most=5) == 0


def test_a_refused_attempt_does_not_prolong_the_waiting() -> None:
    tries(100, most=5)

    assert tries(1, at_s=AT + 61, most=5) == 1


def test_a_window_slides_and_does_not_begin_anew_at_once() -> None:
    """With windows one after the other, twice the limit would pass around their border."""
    assert tries(5, at_s=AT + 59.9) == 5
    assert tries(5, at_s=AT + 60.1) == 0
    assert tries(5, at_s=AT + 120) == 5


def test_when_one_limit_is_reached_none_is_counted() -> None:
    narrow, wide = Counter("narrow", 60), Counter("wide", 60)
    for _ in range(9):
        count([Count(wide, most=100), Count(narrow, most=2)], at_s=AT)

    assert count([Count(wide, step=0), Count(narrow, step=0)], at_s=AT).now == [2, 2]


def test_a_hundred_attempts_at_once_are_no_more_than_one_after_the_other() -> None:
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


def test_different_members_are_counted_once_each() -> None:
    for _ in range(3):
        for member in ("a", "b", "c"):
            last = count([Count(Counter("members", 3600, member))], at_s=AT)

    assert last.now == [3]


def test_every_counter_is_forgotten_by_itself(server: redis.Redis, settings: Any) -> None:
    count([Count(Counter("a", 60)), Count(Counter("b", 3600, "member"))], at_s=AT)

    kept = list(server.scan_iter(f"{settings.COUNTERS_PREFIX}:*"))
    assert len(kept) == 2
    assert all(0 < server.ttl(key) <= 7200 for key in kept)


# --- the doors beside sign-in -------------------------------------------------------------------


def test_an_action_has_limits_by_name_and_by_network() -> None:
    asked = [limits.allow("reset_request", key="a@example.com", network=HOME) for _ in range(7)]
    assert asked == [True] * 5 + [False] * 2

    assert limits.allow("reset_request", key="A@EXAMPLE.com", network=OTHER) is False
    asked = [limits.allow("reset_request", key=f"{n}@example.com", network=HOME) for n in range(20)]
    assert asked == [True] * 15 + [False] * 5
    assert limits.allow("reset_request", key="b@example.com", network=OTHER)


def test_neighbours_in_one_range_share_a_limit() -> None:
    asked = [limits.allow("notice_check", network=f"198.51.100.{n % 250}") for n in range(120)]

    assert asked == [True] * 100 + [False] * 20
    assert limits.allow("notice_check", network=OTHER)


def test_an_address_of_the_next_generation_counts_by_what_one_connection_has() -> None:
    """A visitor has 2**64 addresses of IPv6, and would otherwise have as many tries."""
    asked = [limits.allow("notice_check", network=f"2001:db8:1:2::{n:x}") for n in range(25)]

    assert asked == [True] * 20 + [False] * 5
    assert limits.allow("notice_check", network="2001:db8:1:3::1")


def test_an_action_without_limits_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        limits.allow("reset_requests", key="a", network=HOME)


def test_every_limit_says_where_its_number_comes_from() -> None:
    every = [limit for action in limits.ACTIONS.values() for limit in action]

    assert all(limit.source and limit.most > 0 and limit.window_s >= 60 for limit in every)
    assert len({limit.code for limit in every}) == len(every)


def test_neither_address_nor_name_stands_in_the_server(server: redis.Redis, settings: Any) -> None:
    limits.allow("reset_request", key="hanako.suzuki@example.com", network=HOME)

    kept = list(server.scan_iter(f"{settings.COUNTERS_PREFIX}:*"))
    assert len(kept) == 3
    assert not [key for key in kept if "hanako" in key or "198.51" in key]


# --- without the server -------------------------------------------------------------------------


def test_without_the_server_a_process_counts_by_itself_and_allows_less(server_gone: None) -> None:
    asked = [limits.allow("reset_request", key=str(n), network=HOME) for n in range(20)]

    assert asked == [True] * 5 + [False] * 15
    assert limits.allow("reset_request", key="somebody", network=OTHER)


def test_without_the_server_memory_stays_bounded(
    server_gone: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counters, "ALONE_KEYS_MAX", 100)
    for n in range(1_000):
        count([Count(Counter(f"name-{n}", 60)), Count(Counter("all", 60, str(n)))], at_s=AT)

    assert len(counters._alone._numbers) == 100
    assert [len(members) for members in counters._alone._members.values()] == [100]


def test_when_the_server_is_back_it_counts_again(
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


# --- whose address it is ------------------------------------------------------------------------


@pytest.fixture
def came(rf: RequestFactory, settings: Any) -> Callable[..., str | None]:
    """`came(1, "1.2.3.4, 5.6.7.8")` is the visitor's address behind one proxy of ours."""

    def address(proxies: int, forwarded: str = "", *, seen: str = "192.0.2.1") -> str | None:
        settings.TRUSTED_PROXIES = proxies
        more = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}
        return network_of(rf.get("/", REMOTE_ADDR=seen, **more))

    return address


def test_what_a_visitor_writes_about_the_own_address_is_never_believed(
    came: Callable[..., str | None],
) -> None:
    assert came(0, "198.51.100.7") == "192.0.2.1"
    assert came(1, "198.51.100.7, 203.0.113.9") == "203.0.113.9"
    assert came(2, "198.51.100.7, 203.0.113.9, 10.0.0.1") == "203.0.113.9"
    assert came(2, "203.0.113.9") == "192.0.2.1", "it came past the proxies"
    assert came(1) == "192.0.2.1"


def test_an_address_that_is_none_is_nobodys(came: Callable[..., str | None]) -> None:
    assert came(1, "203.0.113.9, <script>") is None
    assert came(0, seen="") is None


def test_one_address_has_one_spelling(came: Callable[..., str | None]) -> None:
    assert came(0, seen="::ffff:203.0.113.9") == "203.0.113.9"
    assert came(0, seen="2001:DB8::0001") == "2001:db8::1"
    assert came(0, seen="fe80::1%eth0") == "fe80::1"
