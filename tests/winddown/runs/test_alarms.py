"""Locks, wrong clocks and open transactions outside of the service that delay it raise an alarm."""

from __future__ import annotations

import datetime as dt
import socket

import pytest
from django.db.models import F
from django.utils import translation

from tests import factories
from tests.faults.conftest import wait_until
from tests.oldest import oldest_one
from tests.winddown import freeze_and_hold
from winddown import alarm_kinds
from winddown.evidence import audit
from winddown.models import AuditHorizon, Batch
from winddown.runs import clocks, clockwork, stalls
from winddown.runs.stalls import Cause
from winddown.site import incident_page

BY = ("incident_commander", "compliance")


def told(programme, actor):
    """Returns the sentences of the incident page."""
    with translation.override("en"):
        return [str(alarm.sentence) for alarm in incident_page.look(programme, actor=actor).alarms]


def sounding():
    """Returns the sentences that the watchdog prints."""
    with translation.override("en"):
        return [condition.sentence for condition in alarm_kinds.find().conditions]


@pytest.mark.parametrize("ahead_s", [40, -40])
def test_a_host_with_a_wrong_clock_raises_an_alarm(programme, staff, monkeypatch, ahead_s):
    right = clocks.host_now
    monkeypatch.setattr(clocks, "host_now", lambda: right() + dt.timedelta(seconds=ahead_s))
    clockwork.tick()
    assert list(clocks.off()) == [socket.gethostname()]
    assert abs(clocks.off()[socket.gethostname()] - ahead_s) <= 1
    (sentence,) = [each for each in sounding() if "its clock is" in each]
    assert sentence.startswith(f"{socket.gethostname()}: its clock is {ahead_s // 10}")
    assert [each for each in told(programme, staff(BY[0])) if "its clock is" in each]
    monkeypatch.setattr(clocks, "host_now", right)
    clockwork.tick()
    assert clocks.off() == {}


def test_a_batch_that_is_delayed_again_and_again_raises_an_alarm(programme, wallets, staff):
    wallets(10)
    maker = staff(BY[0])
    with freeze_and_hold.registered():
        run = factories.started_run("test-freeze-and-hold", maker=maker, checker=staff(BY[1]))
        Batch.objects.filter(run=run).update(
            stalls=stalls.STALLS_BEFORE_ALARM - 1, stalled_by=Cause.LOCK_WAIT
        )
        assert stalls.held_up() == {}
        Batch.objects.filter(run=run).update(stalls=F("stalls") + 1)
        assert [each for each in sounding() if "(lock_wait)" in each]
        assert [each for each in told(programme, maker) if "(lock_wait)" in each]


def test_an_open_transaction_that_delays_the_seal_raises_an_alarm(own_database, programme, staff):
    with oldest_one(own_database):
        audit.seal()
        assert audit.seal_delayed_s() is None
        an_hour_passes()
        audit.seal()
        delayed = "An open transaction delays the seal of the audit journal."
        assert delayed in sounding()
        assert delayed in told(programme, staff(BY[0]))
    # Another test of the same server may have a transaction open just now.
    wait_until(sealed_in_time, "the seal goes on")


def sealed_in_time() -> bool:
    audit.seal()
    return audit.seal_delayed_s() is None


def an_hour_passes():
    AuditHorizon.objects.update(moved_at=F("moved_at") - dt.timedelta(hours=1))
