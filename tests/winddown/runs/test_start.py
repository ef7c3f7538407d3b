"""Which locks a start holds while it counts the plan again."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from tests import factories
from winddown.models import Run
from winddown.runs import planning, registry


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
