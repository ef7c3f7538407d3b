"""Runs as the pages show them: progress, rate, and whether a worker works on them. The number of
queries does not depend on the number of runs.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db.models import Count, Max, Q, Sum

from winddown.machines.declare import Stateful
from winddown.models import Batch, Failure, Run, StepTotal, Worker
from winddown.runs import registry

UNATTENDED_S = 60
RATE_OVER_S = 10


class StepState(StrEnum):
    """The state of a step as the pages show it. It is no state of a machine."""

    NOT_BEGUN = "waiting"
    UNDER_WAY = "running"
    HALTED = "halted"
    DONE = "done"
    DONE_WITH_FAILURES = "failed"


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step of a run, as its batches add up."""

    run: Run
    step: registry.Step
    state: StepState
    expected: int | None
    moved: int
    failed: int
    amount_minor: int
    rows_s: float
    started_at: dt.datetime | None
    ended_at: dt.datetime | None

    @property
    def name(self) -> str:
        return self.step.name

    @property
    def logged(self) -> bool:
        """Returns whether its rows have a log. It builds their query, so alarms do not ask."""
        return issubclass(self.step.rows(self.run).model, Stateful)

    @property
    def running(self) -> bool:
        return self.state == StepState.UNDER_WAY

    @property
    def under_way(self) -> bool:
        """Returns whether it has begun and not ended, also while its run is paused."""
        return self.state in (StepState.UNDER_WAY, StepState.HALTED)

    @property
    def eta_s(self) -> float | None:
        left = (self.expected or 0) - self.moved - self.failed
        return left / self.rows_s if self.rows_s > 0 and left > 0 else None


@dataclass(frozen=True, slots=True)
class RunRow:
    """The newest run of a workflow. `run` is None for a workflow that was never planned."""

    workflow: str
    run: Run | None
    state: str
    steps: list[StepRow]
    place: int
    seen_s: float | None
    failures: dict[str, int]

    @property
    def step(self) -> StepRow | None:
        """Returns the step under way; None before the start and after the end."""
        under_way = self.state in (Run.State.RUNNING, Run.State.PAUSED)
        return self.steps[self.place - 1] if under_way and self.place else None

    @property
    def moved(self) -> int:
        return sum(step.moved for step in self.steps)

    @property
    def expected(self) -> int:
        return sum(step.expected or 0 for step in self.steps)

    @property
    def failed(self) -> int:
        return sum(self.failures.values())

    @property
    def ended(self) -> bool:
        return self.run is not None and self.state in Run.ENDED

    @property
    def running(self) -> bool:
        return self.state == Run.State.RUNNING

    @property
    def unattended(self) -> bool:
        return self.running and (self.seen_s is None or self.seen_s > UNATTENDED_S)


def newest(*, real_at: dt.datetime) -> list[RunRow]:
    """Returns one row per registered workflow."""
    found = {
        run.workflow: run
        for run in Run.objects.select_related("maker")
        .order_by("workflow", "-pk")
        .distinct("workflow")
    }
    rows = {row.workflow: row for row in look(found.values(), real_at=real_at)}
    return [
        rows.get(name)
        or RunRow(
            workflow=name, run=None, state="never", steps=[], place=0, seen_s=None, failures={}
        )
        for name in registry.names()
    ]


def look(runs: Iterable[Run], *, real_at: dt.datetime) -> list[RunRow]:
    """Returns the runs with their steps, heartbeats and open failures."""
    runs = list(runs)
    ids = [run.pk for run in runs]
    batches = _batches(ids, real_at=real_at)
    totals = {(each.run_id, each.step): each for each in StepTotal.objects.filter(run__in=ids)}
    seen = dict(
        Worker.objects.filter(run_id__in=ids).values_list("run_id").annotate(at=Max("seen_at"))
    )
    failures = _failures(ids)
    return [
        _row(
            run,
            batches=batches,
            totals=totals,
            seen_s=(real_at - seen[run.pk]).total_seconds() if run.pk in seen else None,
            failures=failures.get(run.pk, {}),
        )
        for run in runs
    ]


def _batches(ids: list[int], *, real_at: dt.datetime) -> dict[tuple[int, str], dict[str, Any]]:
    since = real_at - dt.timedelta(seconds=RATE_OVER_S)
    counted = (
        Batch.objects.filter(run__in=ids)
        .values("run_id", "step")
        .annotate(
            rows_moved=Sum("moved"),
            rows_failed=Sum("failed"),
            amount=Sum("amount_minor"),
            recent=Sum("moved", filter=Q(ended_at__gte=since)),
        )
    )
    return {(each["run_id"], each["step"]): dict(each) for each in counted}


def _failures(ids: list[int]) -> dict[int, dict[str, int]]:
    counted = (
        Failure.objects.filter(run__in=ids, retried_at=None)
        .values_list("run_id", "reason_code")
        .annotate(rows=Count("pk"))
        .order_by("run_id", "reason_code")
    )
    found: dict[int, dict[str, int]] = {}
    for run_id, code, rows in counted:
        found.setdefault(run_id, {})[code] = rows
    return found


def _row(
    run: Run,
    *,
    batches: dict[tuple[int, str], dict[str, Any]],
    totals: dict[tuple[int, str], StepTotal],
    seen_s: float | None,
    failures: dict[str, int],
) -> RunRow:
    declared = registry.get(run.workflow).steps(run)
    names = [step.name for step in declared]
    steps = [
        _step(run, step, batches.get((run.pk, step.name), {}), totals.get((run.pk, step.name)))
        for step in declared
    ]
    return RunRow(
        workflow=run.workflow,
        run=run,
        state=run.state,
        steps=steps,
        place=names.index(run.step) + 1 if run.step in names else 0,
        seen_s=seen_s,
        failures=failures,
    )


def _step(
    run: Run, step: registry.Step, counted: dict[str, Any], total: StepTotal | None
) -> StepRow:
    failed = counted.get("rows_failed") or 0
    if total is None:
        state = StepState.NOT_BEGUN
    elif total.ended_at is not None:
        state = StepState.DONE_WITH_FAILURES if failed else StepState.DONE
    else:
        running = run.state == Run.State.RUNNING
        state = StepState.UNDER_WAY if running else StepState.HALTED
    return StepRow(
        run=run,
        step=step,
        state=state,
        expected=total.rows_expected if total else None,
        moved=counted.get("rows_moved") or 0,
        failed=failed,
        amount_minor=counted.get("amount") or 0,
        rows_s=(counted.get("recent") or 0) / RATE_OVER_S,
        started_at=total.started_at if total else None,
        ended_at=total.ended_at if total else None,
    )
