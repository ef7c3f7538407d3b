"""A demo: the smallest workflow that does a part, waits until its operator has looked, and goes on.

It is registered in the tests only. Copy it to begin a workflow of your own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.models import QuerySet

from wallets.models import Wallet
from winddown.machines.move import transition_set
from winddown.models import Batch, Run, RunTransition
from winddown.runs import registry
from winddown.runs.registry import Moved, PlanContent, Step, Workflow

FIRST_ROWS = 3


class WaitForOperator(Workflow):
    """A few wallets are frozen first. The run then pauses; when a person has resumed it, the other
    wallets are frozen.
    """

    name = "wait-for-operator"

    def plan(self, run: Run) -> PlanContent:
        return PlanContent(counts={"wallets": _active_wallets(run).count()})

    def steps(self, run: Run) -> list[Step]:
        return [
            Step("freeze_first_wallets", _first_wallets, _freeze),
            Step("freeze_other_wallets", _active_wallets, _freeze),
        ]

    def reason_to_wait(self, run: Run, step: Step) -> str:
        """Returns the reason of a pause before each step after the first."""
        resumed = RunTransition.objects.filter(subject_id=run.pk, transition="resume")
        if resumed.exists():
            return ""
        return f"look at the first {FIRST_ROWS} wallets, then resume"

    def verify(self, run: Run) -> list[str]:
        left = _active_wallets(run).count()
        return [f"{left} wallets are still active"] if left else []


def _active_wallets(run: Run) -> QuerySet[Any]:
    active: QuerySet[Any] = Wallet.objects.filter(state=Wallet.State.ACTIVE)
    return active


def _first_wallets(run: Run) -> QuerySet[Any]:
    """Returns wallets by fixed ids, so that a second worker gets the same ones, frozen or not."""
    first = Wallet.objects.order_by("pk").values("pk")[:FIRST_ROWS]
    return _active_wallets(run).filter(pk__in=first)


def _freeze(run: Run, batch: Batch, rows: QuerySet[Any]) -> Moved:
    return Moved(rows=transition_set(rows, "freeze_charges", run=run))


@contextmanager
def demo() -> Iterator[None]:
    """Inside, the workflow is registered."""
    registry.WORKFLOWS.add(WaitForOperator.name, WaitForOperator())
    try:
        yield
    finally:
        del registry.WORKFLOWS.entries[WaitForOperator.name]
