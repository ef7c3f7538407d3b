"""The present state of runs: found by workflow, counted from their batches."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, Q, Sum

from winddown.errors import (
    RunNotFound,
)
from winddown.models import (
    Batch,
    Failure,
    Run,
    RunTransition,
    StepTotal,
)
from winddown.runs import registry, waking


@dataclass(frozen=True, slots=True)
class Progress:
    """Counted from the batches at the time of asking."""

    step: str
    steps_done: int
    steps: int
    expected: int
    moved: int
    failed: int
    amount_minor: int
    rows_s: float

    @property
    def eta_s(self) -> float | None:
        left = self.expected - self.moved - self.failed
        return left / self.rows_s if self.rows_s > 0 and left > 0 else None


def active(name: str) -> Run | None:
    """Returns the run of the workflow that has not ended, if there is one."""
    return Run.objects.filter(workflow=name).exclude(state__in=Run.ENDED).first()


def latest(name: str, *, states: tuple[str, ...]) -> Run:
    """Returns the newest run of the workflow in one of `states`; raises `RunNotFound`."""
    run = Run.objects.filter(workflow=name, state__in=states).order_by("-pk").first()
    if run is None:
        raise RunNotFound(workflow=name, wanted=" or ".join(states))
    return run


def progress(run: Run) -> Progress:
    """Returns the progress of the run's present step, counted from its batches."""
    fresh = Run.objects.get(pk=run.pk)
    steps = registry.get(fresh.workflow).steps(fresh)
    done = Batch.objects.filter(run=fresh, step=fresh.step).aggregate(
        all_moved=Sum("moved"),
        all_failed=Sum("failed"),
        amount=Sum("amount_minor"),
        recent=Sum("moved", filter=Q(ended_at__gte=waking.real_now() - dt.timedelta(seconds=10))),
    )
    total = StepTotal.objects.filter(run=fresh, step=fresh.step).first()
    position = next((index for index, step in enumerate(steps) if step.name == fresh.step), 0)
    return Progress(
        step=fresh.step,
        steps_done=position,
        steps=len(steps),
        expected=total.rows_expected if total else 0,
        moved=done["all_moved"] or 0,
        failed=done["all_failed"] or 0,
        amount_minor=done["amount"] or 0,
        rows_s=(done["recent"] or 0) / 10,
    )


def moved(run: Run) -> dict[str, int]:
    """Returns the rows moved per step."""
    rows = (
        Batch.objects.filter(run=run).values("step").annotate(total=Sum("moved")).order_by("step")
    )
    return {row["step"]: row["total"] for row in rows}


def paused_because(run: Run) -> str:
    """Returns why the run is paused; empty when it is not paused."""
    if run.state != Run.State.PAUSED:
        return ""
    pauses = RunTransition.objects.filter(subject_id=run.pk, transition="pause").order_by("-pk")
    return pauses.values_list("reason", flat=True).first() or ""


def failures_by_reason(run: Run) -> dict[str, int]:
    rows = (
        Failure.objects.filter(run=run, retried_at=None)
        .values("reason_code")
        .annotate(total=Count("pk"))
    )
    return {row["reason_code"]: row["total"] for row in rows.order_by("reason_code")}


def locked(run: Run) -> Run:
    return Run.objects.select_for_update(no_key=True).get(pk=run.pk)
