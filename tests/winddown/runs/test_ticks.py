"""A message of beat is never thrown away, and many at once cost little."""

from __future__ import annotations

import datetime as dt

import pytest
from django.conf import settings
from django.db.models import F

from winddown import tasks
from winddown.models import Worker
from winddown.runs import clockwork


def test_no_message_expires_by_the_clock_of_a_worker_host():
    """A host that is 40 seconds ahead would throw away every tick, and the deadline would not fire."""
    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        assert "expires" not in entry.get("options", {}), entry


@pytest.mark.usefixtures("programme")
def test_one_of_many_waiting_ticks_does_the_work(monkeypatch):
    done = []
    monkeypatch.setitem(clockwork.OWED.entries, "test", lambda: done.append(1))
    for _ in range(20):
        tasks.tick()
    assert len(done) < 20 / 2
    before = len(done)
    Worker.objects.update(seen_at=F("seen_at") - dt.timedelta(seconds=1))
    tasks.tick()
    assert len(done) == before + 1
