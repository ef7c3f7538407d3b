"""A deadline is set with a permission, moved only in favour of the holders, and fired once."""

from __future__ import annotations

import contextlib
import datetime as dt

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from winddown.errors import DoneAlready, GuardNotMet, NotPermitted
from winddown.models import AuditEntry, Milestone
from winddown.programme import milestones

pytestmark = pytest.mark.usefixtures("programme")
A_DAY = dt.timedelta(days=1)


@pytest.fixture
def person(staff):
    return staff("compliance")


@pytest.fixture
def set_to(person):
    def put(kind, at):
        return milestones.set_milestone(kind, at=at, actor=person, reason="r")

    return put


def test_nobody_sets_the_end_of_the_window(set_to, rehearsal_clock):
    """It follows from the notice."""
    with pytest.raises(GuardNotMet, match="follows from the public notice"):
        set_to("refund_window_ends", rehearsal_clock.now() + 60 * A_DAY)
    assert not Milestone.objects.exists()


def test_the_application_reaches_no_deadline_of_the_clock_before_its_instant(
    set_to, person, rehearsal_clock
):
    set_to("spend_ends", rehearsal_clock.now() + 60 * A_DAY)
    rows = Milestone.objects.filter(kind="spend_ends")
    with pytest.raises(IntegrityError, match="not_reached_early"), transaction.atomic():
        rows.update(reached_at=rehearsal_clock.now(), reached_by=person)
    assert rows.get().reached_at is None


def test_an_instant_that_has_passed_is_refused(set_to, rehearsal_clock):
    rehearsal_clock.travel(rehearsal_clock.now(), frozen=True)
    with pytest.raises(GuardNotMet, match="has passed"):
        set_to("spend_ends", rehearsal_clock.now())
    assert not Milestone.objects.exists()


def test_another_deadline_can_be_moved_until_it_fires(set_to, rehearsal_clock):
    at = rehearsal_clock.now() + A_DAY
    set_to("spend_ends", at)
    set_to("spend_ends", at - dt.timedelta(hours=1))
    rehearsal_clock.travel(at, frozen=True)
    (fired,) = milestones.fire_due()
    assert fired.late_by == dt.timedelta(hours=1)
    with pytest.raises(GuardNotMet, match="it fired at"):
        set_to("spend_ends", at + A_DAY)


def test_the_same_instant_with_another_effect_is_no_repetition(person, rehearsal_clock):
    """What is put right a moment later holds, and the journal has all of it."""
    said = {"at": rehearsal_clock.now() + A_DAY, "actor": person, "reason": "r"}
    for switch in ("spend", "transfer", "transfer"):
        with contextlib.suppress(DoneAlready):
            milestones.set_milestone("spend_ends", ends_capability=switch, **said)
    assert Milestone.objects.get().ends_capability == "transfer"
    told = AuditEntry.objects.filter(action="milestone.set").order_by("seq")
    assert [each.facts["ends_capability"] for each in told] == ["spend", "transfer"]


def test_setting_a_deadline_requires_its_permission(staff, rehearsal_clock):
    with pytest.raises(NotPermitted):
        milestones.set_milestone(
            "spend_ends", at=rehearsal_clock.now(), actor=staff("support"), reason="r"
        )
    assert not Milestone.objects.exists()


def test_a_deadline_fires_at_its_instant_and_not_before(set_to, rehearsal_clock):
    """I16."""
    at = rehearsal_clock.now() + A_DAY
    set_to("refund_opens", at)
    rehearsal_clock.travel(at - dt.timedelta(microseconds=1), frozen=True)
    assert milestones.fire_due() == []
    rehearsal_clock.travel(at, frozen=True)
    (fired,) = milestones.fire_due()
    assert (fired.fired_at, fired.late_by) == (at, dt.timedelta())
    assert milestones.fire_due() == []
    assert AuditEntry.objects.filter(action="milestone.fire").count() == 1


def test_missed_deadlines_fire_in_their_order(set_to, rehearsal_clock):
    at = rehearsal_clock.now()
    set_to("refund_opens", at + 2 * A_DAY)
    set_to("spend_ends", at + A_DAY)
    rehearsal_clock.travel(at + 5 * A_DAY, frozen=True)
    assert [each.kind for each in milestones.fire_due()] == ["spend_ends", "refund_opens"]


def test_no_writer_can_fire_a_deadline_early(set_to, rehearsal_clock):
    milestone = set_to("spend_ends", rehearsal_clock.now() + A_DAY)
    with pytest.raises(DatabaseError, match="not fired early"), transaction.atomic():
        Milestone.objects.update(fired_at=milestone.at - dt.timedelta(microseconds=1))
