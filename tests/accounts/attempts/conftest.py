"""A clock that stands still, visitors, and the counters' server, which may be unreachable."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings

from accounts.attempts import counters
from accounts.models import User
from tests.accounts.attempts.visiting import Visitor
from tests.accounts.conftest import OLD, hashed

REDIS_URL = django_settings.REDIS_URL


@pytest.fixture
def server() -> redis.Redis:
    return redis.Redis.from_url(REDIS_URL, decode_responses=True)


@pytest.fixture
def server_gone(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The counters' server does not answer; it is asked again after the test."""
    settings.REDIS_URL = "unix:///nonexistent/valkey.sock"
    monkeypatch.setattr(counters, "_lost_until", [0.0])
    monkeypatch.setattr(counters, "_alone", counters._Alone())
    yield
    counters._shared.cache_clear()


@pytest.fixture
def noon(rehearsal_clock: Any) -> dt.datetime:
    """The clock stands still at the beginning of a window."""
    at = dt.datetime(2019, 7, 3, 3, 0, tzinfo=dt.UTC)
    rehearsal_clock.travel(at, frozen=True)
    return at


@pytest.fixture
def visitor(browser: Any, noon: dt.datetime) -> type[Visitor]:
    return Visitor


@pytest.fixture
def member(staff: Callable[..., Any]) -> Callable[[], Any]:
    """`member()` is a member of staff with the password OLD."""

    def make() -> Any:
        person = staff("auditor")
        User.objects.filter(pk=person.pk).update(password=hashed(OLD))
        return person

    return make
