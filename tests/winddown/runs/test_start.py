"""When a start counts the plan again, and what happens if nobody can be woken."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from tests import factories
from winddown.models import Run
from winddown.runs import planning, registry, waking


def test_the_plan_is_counted_again_before_the_run_is_locked(
    own_database: Any, programme: Any, staff: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person with psql can lock the run while its plan is counted."""
    maker, checker = staff("incident_commander"), staff("compliance")
    run = factories.approved_run("freeze-charges", maker=maker, checker=checker)
    workflow = type(registry.get("freeze-charges"))
    counts = workflow.plan
    seen = []

    def plan(self: Any, run: Run) -> Any:
        with own_database.connect() as other:
            other.execute("SELECT 1 FROM winddown_run WHERE id = %s FOR UPDATE NOWAIT", [run.pk])
        seen.append(connection.in_atomic_block)
        return counts(self, run)

    monkeypatch.setattr(workflow, "plan", plan)
    assert planning.start(run, actor=maker).state == Run.State.RUNNING
    assert seen == [False]


def test_an_urgent_run_starts_without_a_new_count(
    workflow: Any, programme: Any, maker: Any, checker: Any, wallets: Any
) -> None:
    """A worker counts later, and pauses the run if the data changed."""
    workflow.urgent = True
    run = factories.approved_run("test-freeze-and-hold", maker=maker, checker=checker)
    wallets(1)
    assert planning.start(run, actor=maker).state == Run.State.RUNNING


def test_a_run_has_started_though_its_wake_up_failed(
    own_database: Any,
    workflow: Any,
    programme: Any,
    maker: Any,
    checker: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The next tick wakes it."""
    woken = []

    def fail(run_id: int) -> None:
        woken.append(run_id)
        raise ConnectionError

    monkeypatch.setattr(waking, "wake", fail)
    run = factories.started_run("test-freeze-and-hold", maker=maker, checker=checker)
    assert (woken, waking.owed()) == ([run.pk], [run.pk])
