"""Verification runs by itself, stops payouts on a breach and keeps the alarm until it is gone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction

from tests import factories
from tests.unguarded import past_the_guards
from tests.winddown import freeze_and_hold
from winddown import clock, tasks
from winddown.actors import SYSTEM
from winddown.errors import CapabilityStopped
from winddown.evidence import audit, invariants
from winddown.models import AuditEntry, Capability
from winddown.programme import capabilities, verification

pytestmark = pytest.mark.usefixtures("programme")
NOON = dt.datetime(2019, 7, 4, 12, tzinfo=dt.timezone(dt.timedelta(hours=9)))


@pytest.fixture(autouse=True)
def noon(rehearsal_clock: Any, programme: Any) -> None:
    clock.travel(NOON, frozen=True)


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], pytest.MonkeyPatch]]:
    """`planted("I5")` breaches that invariant until its patch is undone."""
    with monkeypatch.context() as patch:

        def plant(code: str) -> pytest.MonkeyPatch:
            known = invariants.INVARIANTS.entries
            patch.setitem(known, code, replace(known[code], breaches=lambda: ["planted"]))
            return patch

        yield plant


def asked() -> list[str]:
    return list(
        AuditEntry.objects.filter(subject=verification.SUBJECT)
        .order_by("seq")
        .values_list("action", flat=True)
    )


def breached() -> dict[str, list[str]]:
    last = verification.last()
    return last.breached if last else {}


def payouts() -> str:
    return Capability.objects.get(code="payout").state


def later(**passed: float) -> None:
    clock.travel(clock.now() + dt.timedelta(**passed), frozen=True)


def test_it_is_whole_every_night_and_in_part_every_hour() -> None:
    assert verification.verify_due() is not None
    assert verification.verify_due() is None
    later(minutes=59)
    assert verification.verify_due() is None
    later(minutes=1)
    assert verification.verify_due() is not None
    clock.travel(NOON.replace(day=5, hour=2, minute=59), frozen=True)
    verification.verify_due()
    later(minutes=1)
    verification.verify_due()
    whole, part = verification.WHOLE, verification.IN_PART
    assert asked() == [whole, part, part, whole]
    assert verification.last() == verification.Verification(
        at=clock.now(), checked=len(invariants.known()), breached={}
    )


def forge(action: str, **facts: Any) -> None:
    """An entry as a holder of the application's password writes it."""
    with transaction.atomic():
        audit.append(action, verification.SUBJECT, actor=SYSTEM, **facts)


@pytest.mark.parametrize("forged", ["nothing found", "a copy", "a copy dated now"])
@pytest.mark.parametrize("whole", [True, False], ids=["whole", "in part"])
def test_a_forged_entry_puts_no_verification_off_and_hides_no_breach(
    planted: Callable[[str], pytest.MonkeyPatch], forged: str, whole: bool
) -> None:
    verification.verify_due()
    copied = AuditEntry.objects.get(action=verification.WHOLE).facts
    later(hours=1)
    planted("I5")
    assert verification.verify_due() is not None
    later(days=1) if whole else later(hours=1)
    facts = {
        "nothing found": {"checked": 41, "breached": {}},
        "a copy": copied,
        "a copy dated now": {**copied, "at": clock.now().isoformat()},
    }
    for action in (verification.WHOLE, verification.IN_PART):
        forge(action, **facts[forged])
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT winddown_audit_append(NULL, %s, %s, '', NULL, '[]')",
            [verification.WHOLE, verification.SUBJECT],
        )

    assert "I5" in breached()
    assert verification.verify_due() is not None
    assert asked()[-1] == (verification.WHOLE if whole else verification.IN_PART)


def test_a_copy_that_is_written_at_once_hides_no_breach_either(
    planted: Callable[[str], pytest.MonkeyPatch],
) -> None:
    verification.verify_due()
    copied = AuditEntry.objects.get(action=verification.WHOLE).facts
    later(minutes=1)
    planted("I5")
    verification.verify()
    forge(verification.WHOLE, **copied)

    assert "I5" in breached()


def test_many_forged_entries_make_the_service_verify_anew(
    planted: Callable[[str], pytest.MonkeyPatch], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "ENTRIES_READ_MAX", 3)
    verification.verify_due()
    planted("I5")
    for _ in range(3):
        forge(verification.WHOLE, checked=41, breached={})

    assert verification.verify_due() is not None
    assert breached()


def test_it_follows_the_end_of_a_run(staff: Callable[..., Any]) -> None:
    verification.verify_due()
    later(minutes=1)
    maker, checker = staff("incident_commander"), staff("compliance")
    with freeze_and_hold.registered():
        factories.worked_off(
            factories.started_run("test-freeze-and-hold", maker=maker, checker=checker)
        )
    later(minutes=1)
    assert verification.verify_due() is not None
    assert verification.verify_due() is None


@pytest.mark.parametrize("code", ["I1", "I5", "I10", "I14b"])
def test_a_breach_stops_payouts_and_is_an_alarm(
    planted: Callable[[str], pytest.MonkeyPatch], capsys: pytest.CaptureFixture[str], code: str
) -> None:
    planted(code)
    verification.verify_due()
    switch = Capability.objects.get(code="payout")
    assert (switch.state, switch.reason) == ("disabled", f"breached invariants: {code}")
    with pytest.raises(SystemExit):
        call_command("watchdog")
    assert f"Invariant {code} did not hold when last checked: planted" in capsys.readouterr().out


def test_what_beat_finds_stops_the_next_payout(own_database: Any, wallet: Any) -> None:
    """The task itself, in a database that was corrupted."""
    wallet(paid_minor=100)
    tasks.verify()
    with transaction.atomic():
        capabilities.passed("payout")
        past_the_guards("UPDATE wallets_wallet SET paid_minor = 101")
    tasks.verify()
    assert payouts() == "enabled"
    later(hours=1)
    tasks.verify()
    with pytest.raises(CapabilityStopped, match="payout"), transaction.atomic():
        capabilities.passed("payout")
    assert "I4" in breached()


def test_what_a_check_cannot_read_does_not_hold() -> None:
    @invariants.invariant("I999", "This can be read", about=invariants.About.EVIDENCE)
    def unreadable() -> list[str]:
        return [{}["planted"]]

    try:
        verification.verify_due()
        assert breached() == {"I999": ["cannot be checked: KeyError('planted')"]}
        assert payouts() == "disabled"
    finally:
        del invariants.INVARIANTS.entries["I999"]


def test_a_late_worker_or_issuer_is_an_alarm_and_stops_no_payout(
    planted: Callable[[str], pytest.MonkeyPatch],
) -> None:
    planted("I21")
    verification.verify_due()
    assert payouts() == "enabled"
    assert breached() == {"I21": ["planted"]}


def test_what_the_night_found_is_not_forgotten_by_the_hour(
    planted: Callable[[str], pytest.MonkeyPatch],
) -> None:
    patch = planted("I14b")
    verification.verify_due()
    patch.undo()
    later(hours=1)
    verification.verify_due()
    assert asked()[-1] == verification.IN_PART
    assert breached() == {"I14b": ["planted"]}
    verification.verify()
    assert breached() == {}
    assert payouts() == "disabled"


def test_beat_asks_every_five_minutes() -> None:
    entry = settings.CELERY_BEAT_SCHEDULE["verify"]
    assert (entry["task"], entry["schedule"]) == ("winddown.verify", dt.timedelta(minutes=5))
