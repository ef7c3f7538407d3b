"""Every alarm has a kind with a role, a severity and a runbook, and is found by the watchdog."""

from __future__ import annotations

import ast
import datetime as dt
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import translation

from winddown import alarm_kinds, clock
from winddown.alarm_kinds import ALARM_FINDERS, KINDS
from winddown.authority.roles import ROLES
from winddown.models import Milestone
from winddown.programme import milestones
from winddown.runs import clockwork

ROOT = Path(__file__).resolve().parents[3]
RAISING = ("AlarmCondition", "_of_switch", "_of_deadline")
MODULES = (
    "winddown/alarm_kinds.py",
    "winddown/site/alarm_finders.py",
    "accounts/alarms.py",
    "refunds/alarms.py",
)


def told() -> list[str]:
    with translation.override("en"):
        return [condition.sentence for condition in alarm_kinds.find().conditions]


def test_every_kind_has_a_role_and_a_runbook() -> None:
    assert KINDS.names()
    for code, kind in KINDS.items():
        assert kind.role in ROLES, code
        assert (ROOT / "docs" / "runbooks" / kind.runbook).is_file(), code


def test_every_kind_is_found_by_a_finder_and_no_finder_finds_another() -> None:
    """The codes stand as texts in the modules that find alarms."""
    calls = [
        node
        for module in MODULES
        for node in ast.walk(ast.parse((ROOT / module).read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in RAISING
    ]
    named = {call.args[0].value for call in calls if isinstance(call.args[0], ast.Constant)}
    assert named == set(KINDS.names())


@pytest.mark.django_db
def test_an_alarm_of_an_unknown_kind_cannot_be_raised() -> None:
    with pytest.raises(Exception, match="has no entry nothing"):
        alarm_kinds.AlarmCondition("nothing", "x:1", "text", "/")


@pytest.mark.django_db
def test_a_deadline_that_nothing_fires_or_follows_is_an_alarm(
    programme: Any, staff: Any, rehearsal_clock: Any
) -> None:
    ends_at = clock.now() + dt.timedelta(hours=1)
    milestones.set_milestone(
        "spend_ends",
        at=ends_at,
        actor=staff("compliance"),
        reason="test",
        workflow="shut-down-by-deadline",
    )
    clock.travel(ends_at + milestones.OVERDUE_AFTER - dt.timedelta(seconds=1), frozen=True)
    assert not [each for each in told() if "has passed" in each]

    clock.travel(ends_at + milestones.OVERDUE_AFTER, frozen=True)
    assert [each for each in told() if "the clockwork has not noticed it" in each]

    clockwork.tick()
    assert Milestone.objects.get(kind="spend_ends").fired_at
    assert [each for each in told() if "has passed" in each and "has not started" in each]


@pytest.mark.django_db
def test_a_finder_that_fails_is_an_alarm_and_hides_no_other(
    programme: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fall(at: dt.datetime) -> list[alarm_kinds.AlarmCondition]:
        raise KeyError("a mistake of ours")

    monkeypatch.setitem(ALARM_FINDERS.entries, "stops", fall)

    found = alarm_kinds.find()

    assert not found.whole
    assert {"watch_failed", "tick_silent"} <= {each.kind for each in found.conditions}
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("watchdog", stdout=out)
    assert ended.value.code == 3
    assert "The alarms of stops cannot be found" in out.getvalue()
