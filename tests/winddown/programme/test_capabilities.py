"""One person stops a switch, two people restore it, and no operation passes in between."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from tests import factories
from tests.owning import as_owner
from tests.signing_in import code_typed
from wallets.models import TopUp
from wallets.movements import charging
from winddown import clock
from winddown.actors import SYSTEM
from winddown.authority import approvals
from winddown.errors import (
    CapabilityStopped,
    GuardNotMet,
    NothingToDecide,
    NotPermitted,
    PastDeadline,
    PlanExpired,
    SamePerson,
    TransitionRefused,
    UnknownCapability,
)
from winddown.models import Approval, AuditEntry, Capability, Milestone, Probe
from winddown.programme import capabilities
from winddown.runs import clockwork

pytestmark = pytest.mark.usefixtures("programme")


@pytest.fixture
def first(staff):
    return staff("incident_commander")


@pytest.fixture
def second(staff):
    return staff("compliance")


def switch(code="spend"):
    return Capability.objects.get(code=code)


def passes(code="spend"):
    try:
        with transaction.atomic():
            return capabilities.passed(code)
    except (CapabilityStopped, PastDeadline):
        return None


# --- reading ------------------------------------------------------------------------------------


def test_every_capability_is_declared_once():
    assert Capability.objects.count() == len(capabilities.codes())
    capabilities.declare_all()
    assert Capability.objects.count() == len(capabilities.codes())
    assert {each.state for each in Capability.objects.all()} == {"enabled"}


def test_an_unknown_capability_raises_an_error():
    with pytest.raises(UnknownCapability), transaction.atomic():
        capabilities.passed("top_up:banknotes")
    with pytest.raises(UnknownCapability):
        capabilities.stop("top_up:banknotes", actor=SYSTEM, reason="x")


def test_a_switch_can_be_read_only_inside_a_transaction(own_database):
    with pytest.raises(AssertionError, match="in the transaction that it governs"):
        capabilities.passed("spend")


def test_a_passed_operation_records_the_version_of_the_switch(first, second):
    assert passes().version == 1
    capabilities.stop("spend", actor=first, reason="attack")
    capabilities.request_restore("spend", actor=first, reason="over")
    capabilities.restore("spend", actor=second, reason="over")
    assert passes().version == 3


# --- stopping -----------------------------------------------------------------------------------


def test_one_person_stops_at_once_and_every_later_operation_is_refused(first):
    """Rule 1."""
    assert capabilities.stop("spend", actor=first, reason="attack") is True
    with pytest.raises(CapabilityStopped, match="spend is stopped since .*: attack"):
        with transaction.atomic():
            capabilities.passed("spend")
    assert switch().version == 2
    assert switch().stopped_by == first


def test_a_stop_of_one_source_leaves_the_others_on(first, wallet):
    """Rule 1: cards are stopped and cash is accepted; when all are stopped, each is refused."""
    one = wallet()
    for source in ("credit_card", "debit_card"):
        capabilities.stop(f"top_up:{source}", actor=first, reason="attack")
    charge = {"amount_minor": 10, "actor": SYSTEM}
    charging.top_up(one.pk, source="atm_cash", top_up_ref="cash", **charge)
    with pytest.raises(CapabilityStopped):
        charging.top_up(one.pk, source="credit_card", top_up_ref="card", **charge)
    for source in factories.SOURCES:
        capabilities.stop(f"top_up:{source}", actor=first, reason="attack")
    for source in factories.SOURCES:
        with pytest.raises(CapabilityStopped):
            charging.top_up(one.pk, source=source, top_up_ref=f"late-{source}", **charge)
    assert TopUp.objects.count() == 1


def test_a_second_stop_changes_nothing_and_reports_it(first, second):
    """Rule 4."""
    capabilities.stop("spend", actor=first, reason="attack")
    before = switch()
    assert capabilities.stop("spend", actor=second, reason="me too") is False
    after = switch()
    assert (after.version, after.since, after.reason) == (before.version, before.since, "attack")


def test_stopping_requires_its_permission(staff):
    for person in (staff("support"), staff("auditor"), staff("compliance", is_active=False)):
        with pytest.raises(NotPermitted):
            capabilities.stop("spend", actor=person, reason="x")
    assert passes()


def test_every_change_of_a_switch_is_recorded_in_the_audit_journal(first, second):
    capabilities.stop("spend", actor=first, reason="attack")
    capabilities.ratify("spend", actor=second)
    capabilities.request_restore("spend", actor=first, reason="over")
    capabilities.restore("spend", actor=second, reason="over")
    entries = AuditEntry.objects.filter(subject="capability:spend").order_by("seq")
    assert [(e.action, e.actor_id) for e in entries] == [
        ("capability.stop", first.pk),
        ("capability.ratify", second.pk),
        ("capability.request_restore", first.pk),
        ("capability.restore", second.pk),
    ]


# --- ratifying ----------------------------------------------------------------------------------


def test_a_second_person_ratifies_the_stop(first, second):
    capabilities.stop("spend", actor=first, reason="attack")
    capabilities.ratify("spend", actor=second, reason="seen")
    assert (switch().ratified_by, switch().ratify_by) == (second, None)


def test_a_person_who_stopped_cannot_ratify(first, staff):
    capabilities.stop("spend", actor=first, reason="attack")
    for person in (first, staff("compliance", staff_number=first.staff_number)):
        with pytest.raises(SamePerson):
            capabilities.ratify("spend", actor=person)
    with pytest.raises(DatabaseError, match="stop_ratified_by_a_second"), transaction.atomic():
        Capability.objects.filter(code="spend").update(ratified_by=first)
    assert switch().ratified_by is None


def test_a_stop_is_ratified_once(first, second, staff):
    capabilities.stop("spend", actor=first, reason="attack")
    capabilities.ratify("spend", actor=second)
    with pytest.raises(NothingToDecide):
        capabilities.ratify("spend", actor=staff("compliance"))


def test_an_unratified_stop_raises_an_alarm_after_a_day_and_stays_in_force(first, rehearsal_clock):
    """Rule 7: nothing is lifted by itself."""
    capabilities.stop("spend", actor=first, reason="attack")
    due = switch().ratify_by
    assert due - switch().since == dt.timedelta(hours=24)
    rehearsal_clock.travel(due - dt.timedelta(microseconds=1), frozen=True)
    assert capabilities.overdue(clock.now()) == ([], [])
    rehearsal_clock.travel(due, frozen=True)
    assert capabilities.overdue(clock.now()) == (["spend"], [])
    clockwork.tick()
    with pytest.raises(SystemExit) as alarm:
        call_command("watchdog")
    assert alarm.value.code == 1
    assert passes() is None


def test_a_ratified_stop_raises_no_alarm(first, second, rehearsal_clock):
    capabilities.stop("spend", actor=first, reason="attack")
    capabilities.ratify("spend", actor=second)
    rehearsal_clock.travel(switch().since + dt.timedelta(days=400), frozen=True)
    assert capabilities.overdue(clock.now()) == ([], [])
    clockwork.tick()
    call_command("watchdog")


def test_a_stop_not_reviewed_in_time_raises_an_alarm_and_stays_in_force(
    first, second, rehearsal_clock
):
    """Rule 7."""
    review_at = rehearsal_clock.now() + dt.timedelta(days=3)
    capabilities.stop(
        "spend", actor=first, reason="attack", ratified_by=second, review_at=review_at
    )
    rehearsal_clock.travel(review_at - dt.timedelta(microseconds=1), frozen=True)
    assert capabilities.overdue(clock.now()) == ([], [])
    rehearsal_clock.travel(review_at, frozen=True)
    assert capabilities.overdue(clock.now()) == ([], ["spend"])
    assert passes() is None


# --- restoring ----------------------------------------------------------------------------------


def test_restoring_requires_two_people(first, second, staff):
    capabilities.stop("spend", actor=first, reason="attack")
    capabilities.request_restore("spend", actor=first, reason="over")
    assert passes() is None
    for person in (first, staff("compliance", staff_number=first.staff_number)):
        with pytest.raises(SamePerson):
            capabilities.restore("spend", actor=person, reason="over")
    assert passes() is None
    capabilities.restore("spend", actor=second, reason="over")
    assert passes()
    assert (switch().stopped_by, switch().ratify_by) == (None, None)


def test_restoring_requires_its_permission(first, staff):
    capabilities.stop("spend", actor=first, reason="attack")
    with pytest.raises(NotPermitted):
        capabilities.request_restore("spend", actor=staff("fraud_analyst"), reason="x")
    capabilities.request_restore("spend", actor=first, reason="over")
    with pytest.raises(NotPermitted):
        capabilities.restore("spend", actor=staff("fraud_analyst"), reason="x")
    assert passes() is None


def test_a_restoring_that_nobody_requested_is_refused(first, second):
    capabilities.stop("spend", actor=first, reason="attack")
    with pytest.raises((NothingToDecide, TransitionRefused)):
        capabilities.restore("spend", actor=second, reason="x")
    assert passes() is None


def test_an_expired_request_cannot_restore(first, second, rehearsal_clock):
    capabilities.stop("spend", actor=first, reason="attack")
    capabilities.request_restore("spend", actor=first, reason="over")
    asked = Approval.objects.get(stage="restore")
    rehearsal_clock.travel(asked.expires_at, frozen=True)
    with pytest.raises(PlanExpired):
        capabilities.restore("spend", actor=second, reason="over")
    assert passes() is None


def test_a_rejected_request_can_be_made_again(first, second, staff):
    capabilities.stop("spend", actor=first, reason="attack")
    capabilities.request_restore("spend", actor=first, reason="over")
    capabilities.keep_stopped("spend", actor=second, reason="not yet")
    assert switch().state == "disabled"
    with pytest.raises((NothingToDecide, TransitionRefused)):
        capabilities.restore("spend", actor=second, reason="over")
    assert passes() is None
    capabilities.request_restore("spend", actor=first, reason="really over")
    capabilities.restore("spend", actor=staff("compliance"), reason="over")
    assert passes()


def test_a_rejection_by_command_keeps_the_switch_stopped(first, second):
    capabilities.stop("spend", actor=first, reason="attack")
    capabilities.request_restore("spend", actor=first, reason="over")
    asked = Approval.objects.get(stage="restore")
    with code_typed(second):
        call_command(
            "approve",
            asked.subject,
            "--reject",
            digest=asked.digest,
            by=second.login_id,
            reason="not yet",
        )
    assert passes() is None
    assert switch().state == "disabled"


@pytest.mark.parametrize("code", ["top_up:points", "register"])
def test_charging_cannot_be_restored_after_the_announcement(programme, first, second, code):
    """Rule 8."""
    capabilities.stop(code, actor=first, reason="attack")
    factories.bring_to(programme, "announced")
    with pytest.raises(GuardNotMet, match="the end of the service was announced"):
        capabilities.request_restore(code, actor=first, reason="please")
    assert passes(code) is None


def test_a_request_from_before_the_announcement_is_not_granted_after_it(programme, first, second):
    """Rule 8."""
    capabilities.stop("top_up:points", actor=first, reason="attack")
    capabilities.request_restore("top_up:points", actor=first, reason="over")
    factories.bring_to(programme, "announced")
    with pytest.raises(GuardNotMet):
        capabilities.restore("top_up:points", actor=second, reason="over")
    assert passes("top_up:points") is None


def test_spending_can_be_restored_after_the_announcement(programme, first, second):
    """Rule 8 names only top-up and registration."""
    capabilities.stop("spend", actor=first, reason="attack")
    factories.bring_to(programme, "announced")
    capabilities.request_restore("spend", actor=first, reason="over")
    capabilities.restore("spend", actor=second, reason="over")
    assert passes()


def test_a_switch_cannot_be_restored_by_a_new_row(first):
    capabilities.stop("spend", actor=first, reason="attack")
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        Capability.objects.filter(code="spend").delete()
    with as_owner(), pytest.raises(DatabaseError, match="keeps its rows"), transaction.atomic():
        Capability.objects.filter(code="spend").delete()
    with pytest.raises(DatabaseError, match="not declared"), transaction.atomic():
        Capability.objects.filter(code="spend").update(state="enabled")


# --- proof --------------------------------------------------------------------------------------


def test_a_probe_stores_the_answer_it_got(first, rehearsal_clock):
    assert capabilities.probe("spend").refused is False
    capabilities.stop("spend", actor=first, reason="attack")
    refused = capabilities.probe("spend")
    assert (refused.refused, refused.version) == (True, 2)
    assert "attack" in refused.answer
    Milestone.objects.create(kind="spend_ends", at=rehearsal_clock.now(), ends_capability="payout")
    assert capabilities.probe("payout").refused is True
    assert Probe.objects.count() == 3


def test_a_movement_dated_after_the_stop_is_reported_as_a_leak(first, wallet):
    """Rule 2: the report can find one."""
    one = wallet()
    capabilities.stop("top_up:points", actor=first, reason="attack")
    assert capabilities.leaks("top_up:points") == 0
    TopUp.objects.create(
        top_up_ref="late",
        wallet=one,
        source="points",
        amount_minor=1,
        occurred_at=switch("top_up:points").since,
        switch_version=1,
    )
    assert capabilities.leaks("top_up:points") == 1
    assert capabilities.leaks("top_up:atm_cash") == 0


def test_a_movement_from_before_the_stop_is_no_leak(first, wallet):
    charging.top_up(wallet().pk, source="points", amount_minor=1, top_up_ref="t", actor=SYSTEM)
    capabilities.stop("top_up:points", actor=first, reason="attack")
    assert capabilities.leaks("top_up:points") == 0


def test_the_commands_stop_and_request_to_restore(first, second, capsys):
    call_command("stop_capability", "spend", by=first.login_id, reason="attack")
    assert passes() is None
    call_command("stop_capability", "spend", by=second.login_id, reason="attack")
    assert "stopped already" in capsys.readouterr().out
    call_command("stop_capability", "spend", "--restore", by=first.login_id, reason="over")
    (asked,) = (each for each in approvals.open_requests() if each.stage == "restore")
    with code_typed(second):
        call_command(
            "approve", asked.subject, by=second.login_id, reason="over", digest=asked.digest
        )
    assert passes()


def test_a_passed_deadline_refuses_without_a_stop(rehearsal_clock):
    """Rule 36."""
    at = rehearsal_clock.now() + dt.timedelta(hours=1)
    Milestone.objects.create(kind="spend_ends", at=at, ends_capability="spend")
    rehearsal_clock.travel(at - dt.timedelta(microseconds=1), frozen=True)
    assert passes()
    rehearsal_clock.travel(at, frozen=True)
    with pytest.raises(PastDeadline), transaction.atomic():
        capabilities.passed("spend")
    assert switch().state == "enabled"


def test_the_shared_lock_is_held_until_the_end_of_the_transaction():
    with transaction.atomic(), connection.cursor() as cursor:
        capabilities.passed("spend")
        cursor.execute(
            "SELECT mode FROM pg_locks WHERE locktype = 'advisory' AND classid = 7001"
            " AND objid = %s AND pid = pg_backend_pid()",
            [switch().pk],
        )
        assert cursor.fetchall() == [("ShareLock",)]
