"""Batches that fail: halved until each failing row is alone, or a reason to pause the run."""

from __future__ import annotations

import math
import traceback
from pathlib import Path
from typing import Any

from django.db import (
    DatabaseError,
    transaction,
)
from django.db.models import Sum

from winddown import clock
from winddown.actors import SYSTEM
from winddown.errors import (
    WinddownError,
)
from winddown.evidence import audit
from winddown.models import (
    Batch,
    Failure,
    Run,
)
from winddown.runs import batches, control, registry, stalls

ATTEMPTS_MAX = 3


SPLIT_INTO = 8


FAILURES_BEFORE_BREAK = 20


def one_by_one(batch: Batch) -> None:
    """Every row of the batch that can move has moved. Each other row is a stored failure with its
    reason.

    The range is halved until each failing row is alone. Each half has its own savepoint.
    """
    with transaction.atomic():
        run = batches.fenced(batch)
        if run is None:
            return
        step = registry.get(run.workflow).step(run, batch.step)
        ids = list(
            step.rows(run)
            .filter(pk__gte=batch.first_id, pk__lte=batch.last_id)
            .order_by("pk")
            .values_list("pk", flat=True)
        )
        moved, amount_minor, failures = _halve(run, batch, step, ids)
        Failure.objects.bulk_create(failures, ignore_conflicts=True)
        batches.finish(run, batch, moved=moved, amount_minor=amount_minor, failed=len(failures))
    break_circuit(batch.run_id)


def _halve(
    run: Run, batch: Batch, step: registry.Step, ids: list[int]
) -> tuple[int, int, list[Failure]]:
    if not ids:
        return 0, 0, []
    try:
        with transaction.atomic():
            moved = step.apply(run, batch, step.rows(run).filter(pk__in=ids))
            if moved is None:
                raise AssertionError(f"step {step.name} answers without having worked")
            return moved.rows, moved.amount_minor, []
    except Exception as refusal:
        if stalls.cause_of(refusal):
            raise
        if len(ids) == 1:
            code, detail = _reason(refusal)
            return (
                0,
                0,
                [
                    Failure(
                        run=run,
                        step=step.name,
                        subject_id=ids[0],
                        reason_code=code,
                        detail=detail,
                        at=clock.now(),
                    )
                ],
            )
    middle = len(ids) // 2
    left, right = _halve(run, batch, step, ids[:middle]), _halve(run, batch, step, ids[middle:])
    return left[0] + right[0], left[1] + right[1], left[2] + right[2]


def _reason(refusal: Exception) -> tuple[str, str]:
    """Returns a class and a sentence without the row's values. The detail of a database error, and
    the text of an error in the code, would contain them.
    """
    if isinstance(refusal, WinddownError):
        return refusal.code, str(refusal)
    if not isinstance(refusal, DatabaseError):
        return f"bug_{type(refusal).__name__}"[:60], told(refusal)
    cause: Any = refusal.__cause__
    state = getattr(cause, "sqlstate", None) or type(refusal).__name__
    constraint = getattr(getattr(cause, "diag", None), "constraint_name", None)
    return f"sql_{state}", constraint or type(refusal).__name__


def told(bug: Exception) -> str:
    """Returns the error in the code by its class and its place, without its text."""
    frames = traceback.extract_tb(bug.__traceback__)
    ours = [frame for frame in frames if "site-packages" not in frame.filename] or frames
    place = f" at {Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else ""
    return f"{type(bug).__name__}{place}"


def isolate(batch: Batch) -> None:
    """A batch that repeatedly killed its worker is split. A single row that did so is stored as a
    failure.
    """
    with transaction.atomic():
        run = batches.fenced(batch)
        if run is None:
            return
        if batch.first_id == batch.last_id:
            Failure.objects.bulk_create(
                [
                    Failure(
                        run=run,
                        step=batch.step,
                        subject_id=batch.first_id,
                        reason_code="worker_died",
                        detail=f"{ATTEMPTS_MAX} workers died on this row",
                        at=clock.now(),
                    )
                ],
                ignore_conflicts=True,
            )
            batches.finish(run, batch, moved=0, amount_minor=0, failed=1)
            return
        width = math.ceil((batch.last_id - batch.first_id + 1) / SPLIT_INTO)
        Batch.objects.filter(pk=batch.pk).update(state=Batch.State.SPLIT, lease_until=None)
        Batch.objects.bulk_create(
            Batch(
                run=run,
                step=batch.step,
                first_id=first_id,
                last_id=min(first_id + width - 1, batch.last_id),
                rows_expected=0,
                attempts=ATTEMPTS_MAX - 1,
            )
            for first_id in range(batch.first_id, batch.last_id + 1, width)
        )
        audit.append(
            "run.split",
            run.subject,
            actor=SYSTEM,
            run=run,
            first_id=batch.first_id,
            last_id=batch.last_id,
        )


def break_circuit(run_id: int) -> None:
    """A run with too many failures has paused itself, with the reason."""
    with transaction.atomic():
        run = Run.objects.select_for_update(no_key=True).get(pk=run_id)
        if run.state != Run.State.RUNNING:
            return
        done = Batch.objects.filter(run=run, step=run.step).aggregate(
            moved=Sum("moved"), failed=Sum("failed")
        )
        moved, failed = done["moved"] or 0, done["failed"] or 0
        if failed < FAILURES_BEFORE_BREAK or failed <= run.failure_share_max * (moved + failed):
            return
        control.stop(run, f"circuit breaker: {failed} of {moved + failed} rows failed")
