"""A programme of one's own is rehearsed: its time moves, and its people enrol in a shell."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from winddown import clock
from winddown.models import AuditEntry, Milestone, Programme
from winddown.programme import milestones, time_travel
from winddown.runs import planning
from winddown.set_up.writing import example

pytestmark = pytest.mark.django_db
BEGINS = "2026-04-01T09:00"


def ran(*words: str) -> tuple[int, str]:
    """Returns the exit code and the output of `manage.py words`."""
    out = StringIO()
    try:
        call_command(*words, stdout=out)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    except CommandError as end:
        return end.returncode, out.getvalue() + str(end)
    return 0, out.getvalue()


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "my.toml"
    path.write_text(example())
    return str(path)


@pytest.fixture
def rehearsal(file: str) -> None:
    assert ran("begin", file, "--rehearsal", "--at", BEGINS)[0] == 0


def test_a_rehearsal_begins_when_it_is_told_to(rehearsal: None) -> None:
    begun = clock.instant(BEGINS, zone="Asia/Tokyo")
    assert begun < clock.now() < begun + dt.timedelta(minutes=5)


def test_real_time_does_not_begin_at_another_instant(file: str) -> None:
    code, said = ran("begin", file, "--at", BEGINS)
    assert (code, "--rehearsal" in said) == (2, True)
    assert ran("begin", file, "--rehearsal", "--at", "soon")[0] == 2
    assert not clock.is_rehearsal()


def test_time_goes_on_day_by_day_and_does_what_falls_due(rehearsal: None, staff: Any) -> None:
    tokyo = Programme.current().zone
    milestones.set_milestone(
        "spend_ends",
        at=clock.instant("2026-04-03T18:00", zone="Asia/Tokyo"),
        actor=staff("incident_commander"),
        reason="announced",
    )

    stops = [
        at.astimezone(tokyo) for at in time_travel.go_on(time_travel.meant("2026-04-03T24:00"))
    ]
    assert [f"{at:%d %H:%M}" for at in stops] == ["02 00:00", "03 00:00", "03 18:00", "04 00:00"]
    fired = Milestone.objects.get()
    assert fired.fired_at
    assert fired.fired_at - fired.at < dt.timedelta(minutes=1)
    moved = AuditEntry.objects.get(action="rehearsal.clock")
    assert moved.facts["will_be"].startswith("2026-04-04T00:00")
    assert AuditEntry.objects.filter(action="invariants.verify").exists()
    assert "It is 2026-04-04 06:" in ran("rehearsal_clock", "+6h")[1]


def test_deadlines_and_runs_on_the_way_are_told(
    rehearsal: None, wallet: Any, staff: Callable[..., Any]
) -> None:
    wallet(paid_minor=500)
    one, other = staff("incident_commander"), staff("incident_commander")
    milestones.set_milestone(
        "spend_ends",
        at=clock.instant("2026-04-01T18:00", zone="Asia/Tokyo"),
        actor=one,
        reason="announced",
        workflow="freeze-charges",
    )
    run = planning.plan("freeze-charges", actor=one, reason="the end")
    planning.approve(run, actor=other, digest=run.plan_digest, reason="counts checked")

    code, said = ran("rehearsal_clock", "+1d")

    assert code == 0, said
    assert "spend_ends was reached at 2026-04-01 18:00 JST." in said
    assert f"{run} is succeeded: freeze_wallets 1." in said


@pytest.mark.parametrize(
    ("to", "code", "why"),
    [
        ("2026-04-01T08:59", 1, "time only goes forward"),
        ("+9999d", 1, "3,660 days"),
        ("tomorrow", 2, r"+90d"),
        ("-1d", 2, r"+90d"),
        ("2026-04-31T10:00", 2, "day"),
    ],
)
def test_another_time_is_refused(rehearsal: None, to: str, code: int, why: str) -> None:
    before = clock.now()
    ended, said = ran("rehearsal_clock", "--", to)
    assert (ended, why in said) == (code, True), said
    assert clock.now() - before < dt.timedelta(minutes=1)


def test_the_clock_of_a_real_programme_stays(file: str) -> None:
    assert ran("rehearsal_clock", "+1d")[0] == 1
    assert ran("begin", file)[0] == 0
    code, said = ran("rehearsal_clock", "+1d")
    assert (code, "marked as a rehearsal" in said) == (1, True), said
    assert ran("rehearsal_clock")[0] == 0
    assert not AuditEntry.objects.filter(action="rehearsal.clock").exists()


def test_the_people_of_a_rehearsal_enrol_in_a_shell(rehearsal: None) -> None:
    code, said = ran("staff_enrol", "hana", "Ken")
    assert code == 0, said
    password = said.partition("password ")[2].split()[0]
    browser = Client()
    browser.post("/sign-in/", {"login_id": "hana", "password": password})
    browser.post("/sign-in/code/", {"code": ran("staff_code", "hana")[1].strip()})
    assert browser.get("/console/").status_code == 200

    code, said = ran("staff_enrol", "hana")
    assert (code, "no link of theirs works now" in said) == (1, True)
    assert ran("staff_enrol", "nobody")[0] == 1


def test_the_people_of_a_real_programme_enrol_alone(file: str) -> None:
    assert ran("begin", file)[0] == 0
    code, said = ran("staff_enrol", "hana")
    assert (code, "not a rehearsal" in said) == (1, True)
