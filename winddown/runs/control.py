"""A run is paused, resumed, aborted or slowed, or its failures are tried again."""

from __future__ import annotations

from typing import Any

from django.db import (
    transaction,
)

from winddown import clock
from winddown.actors import SYSTEM, Actor, require
from winddown.evidence import audit
from winddown.machines.move import transition_one
from winddown.models import (
    Failure,
    Run,
    StepTotal,
)
from winddown.runs import batches, progress, registry, waking


def pause(run: Run, *, actor: Actor, reason: str) -> Run:
    """No batch starts after the commit; a batch that is running finishes or rolls back."""
    return _control(run, "pause", actor=actor, reason=reason)


def resume(run: Run, *, actor: Actor, reason: str) -> Run:
    """Batches are claimed again."""
    return _control(run, "resume", actor=actor, reason=reason)


def abort(run: Run, *, actor: Actor, reason: str) -> Run:
    """The run has ended for good; its changes stay done.

    A running run is paused first: its batch that is under way ends, and none starts after it.
    """
    with transaction.atomic():
        if progress.locked(run).state == Run.State.RUNNING:
            run = pause(run, actor=actor, reason=reason)
        return _control(run, "abort", actor=actor, reason=reason, ended_at=clock.now())


def _control(run: Run, name: str, *, actor: Actor, reason: str, **changes: Any) -> Run:
    with transaction.atomic():
        locked = transition_one(run, name, actor=actor, reason=reason, **changes)
        audit.append(f"run.{name}", locked.subject, actor=actor, reason=reason, run=locked)
        if locked.state == Run.State.RUNNING:
            transaction.on_commit(lambda: waking.wake(locked.pk), robust=True)
        return locked


def set_rate(run: Run, *, rows_s_max: int | None, actor: Actor, reason: str) -> None:
    """From the next batch on, all workers together move at most `rows_s_max` rows a second; None
    removes the limit.
    """
    require(actor, "winddown.pause_run", action=f"set the rate of run {run.pk}")
    with transaction.atomic():
        audit.refuse_repeated(
            "run.rate", run.subject, actor=actor, reason=reason, rows_s_max=rows_s_max
        )
        Run.objects.filter(pk=run.pk).update(rate_rows_s_max=rows_s_max, paced_until=None)
        audit.append(
            "run.rate", run.subject, actor=actor, reason=reason, run=run, rows_s_max=rows_s_max
        )


def retry_failed(run: Run, *, reason_code: str, actor: Actor, reason: str) -> int:
    """The failures of one class wait again, each as a batch of its own, and the run is running.
    Returns how many.

    The failures stay stored, marked as retried. With no failure of that class, nothing changes and
    the result is 0.
    """
    with transaction.atomic():
        locked = progress.locked(run)
        failures = list(
            Failure.objects.select_for_update().filter(
                run=run, reason_code=reason_code, retried_at=None
            )
        )
        if not failures:
            return 0
        steps = [step.name for step in registry.get(run.workflow).steps(locked)]
        first = min((failure.step for failure in failures), key=steps.index)
        failures = [failure for failure in failures if failure.step == first]
        locked = transition_one(
            locked, "retry", actor=actor, reason=reason, step=first, ended_at=None
        )
        Failure.objects.filter(pk__in=[failure.pk for failure in failures]).update(
            retried_at=clock.now()
        )
        for batch in batches.batches_of(locked, failures):
            batches.reopen(batch, [failure.subject_id for failure in failures])
        StepTotal.objects.filter(run=locked, step__in=steps[steps.index(first) :]).update(
            ended_at=None
        )
        audit.append(
            "run.retry",
            locked.subject,
            actor=actor,
            reason=reason,
            run=locked,
            reason_code=reason_code,
            rows=len(failures),
        )
        transaction.on_commit(lambda: waking.wake(locked.pk), robust=True)
        return len(failures)


def pause_itself(run_id: int, reason: str) -> None:
    with transaction.atomic():
        run = Run.objects.select_for_update(no_key=True).get(pk=run_id)
        if run.state == Run.State.RUNNING:
            stop(run, reason)


def stop(run: Run, reason: str) -> None:
    run = transition_one(run, "pause", actor=SYSTEM, reason=reason)
    audit.append("run.pause", run.subject, actor=SYSTEM, reason=reason, run=run)
