"""Values in the broker's server are data: nothing that a stranger writes there is run."""

from __future__ import annotations

import pickle
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from celery.beat import Service
from django.core.cache import caches

from config.celery import app


class Hostile:
    """Unpickled, it touches a file."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.trace,)


@pytest.fixture
def key() -> Iterator[str]:
    # All workers of a run share the server.
    name = f"test-cache-{uuid.uuid4()}"
    yield name
    caches["default"].delete(name)


def test_a_hostile_pickle_in_the_cache_is_ignored_and_not_run(
    key: str, settings: Any, tmp_path: Path
) -> None:
    trace = tmp_path / "ran"
    pickle.loads(pickle.dumps(Hostile(trace)))  # noqa: S301 (our own)
    assert trace.exists(), "the pickle is hostile"
    trace.unlink()
    cache = caches["default"]
    server = redis.Redis.from_url(settings.REDIS_URL)

    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        server.set(cache.make_key(key), pickle.dumps(Hostile(trace), protocol))
        assert cache.get(key) is None

    assert not trace.exists()


@pytest.mark.parametrize("value", [0, -7, True, 1.5, "words", ["a", 1], {"a": {"b": None}}])
def test_a_cached_value_is_read_back_unchanged(key: str, value: object) -> None:
    caches["default"].set(key, value, timeout=60)

    assert caches["default"].get(key) == value


def test_the_server_increments_a_cached_number(key: str) -> None:
    caches["default"].set(key, 1, timeout=60)

    assert caches["default"].incr(key, 4) == 5


def test_a_message_that_is_not_json_is_refused() -> None:
    assert set(app.conf.accept_content) == {"json"}
    assert set(app.conf.result_accept_content) == {"json"}
    assert {
        app.conf.task_serializer,
        app.conf.result_serializer,
        app.conf.event_serializer,
    } == {"json"}


def test_beat_keeps_no_file_and_starts_with_every_task_due(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    scheduler = Service(app, scheduler_cls=app.conf.beat_scheduler).get_scheduler()

    assert set(scheduler.schedule) == {"tick", "watch", "verify", "follow_up"}
    assert all(entry.is_due().is_due for entry in scheduler.schedule.values())
    assert list(tmp_path.iterdir()) == []
