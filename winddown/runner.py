"""Runs: plan, approve, start, work in batches, verify. PostgreSQL is the queue; anything may die at
any time.
"""

from __future__ import annotations

import datetime as dt
import logging
import math
import os
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from celery import current_app
from django.db import (
    DatabaseError,
    OperationalError,
    connection,
    transaction,
)
from django.db.models import Count, DateTimeField, Exists, F, Func, OuterRef, Q, QuerySet, Sum
from kombu.exceptions import OperationalError as BrokerDown

from winddown import approvals, audit, clock, registry
from winddown.errors import (
    GuardNotMet,
    PlanChanged,
    PlanExpired,
    RunBusy,
    RunNotFound,
    WinddownError,
)
from winddown.leases import LEASE_S, Lease, LeaseLost
from winddown.machines import SYSTEM, require, transition_one
from winddown.models import (
    Approval,
    Batch,
    Failure,
    Plan,
    Run,
    RunTransition,
    Signature,
    StepTotal,
    Worker,
)

ATTEMPTS_MAX = 3
SPLIT_INTO = 8
FAILURES_BEFORE_BREAK = 20
STAGE = "run"

DRAIN = "winddown.drain"
WAKE_UPS = 4

log = logging.getLogger(__name__)


def wake(run_id: int, *, times: int = WAKE_UPS) -> None:
    """Wake-ups for the run are in its queue, for as many slots; one that finds nothing to do ends
    at once.

    A broker that is down only means that the tick comes first.
    """
    queue = Run.objects.values_list("workflow", flat=True).get(pk=run_id)
    try:
        for _ in range(times):
            current_app.send_task(DRAIN, args=[run_id], queue=queue)
    except BrokerDown:
        log.warning("run %s could not be announced to the broker; the tick will", run_id)


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


# --- plan, approve, start -------------------------------------------------------------------------


def plan(name: str, *, actor: Any, reason: str, params: dict[str, Any] | None = None) -> Run:
    """A run of workflow `name` exists with its plan written, and waits for a second person.

    Changes nothing else. Raises `RunBusy` while another run of the workflow is active,
    `NotPermitted`, or what the workflow's own guards refuse.
    """
    require(actor, "winddown.plan_run", action=f"plan {name}")
    workflow = registry.get(name)
    understood = workflow.check_params(dict(params or {}))
    with transaction.atomic():
        busy = active(name)
        if busy is not None:
            raise RunBusy(workflow=name, run=busy.pk, state=busy.state)
        at = clock.now()
        run = Run.objects.create(
            workflow=name, params=understood, maker=actor, reason=reason, requested_at=at, as_of=at
        )
        return _write_plan(run, actor=actor, reason=reason)


def replan(run: Run, *, actor: Any, reason: str) -> Run:
    """The waiting run has a fresh plan; an approval of the old one no longer fits."""
    require(actor, "winddown.plan_run", action=f"plan {run.workflow}")
    with transaction.atomic():
        locked = _lock(run)
        if locked.state != Run.State.AWAITING_APPROVAL:
            raise GuardNotMet(action=f"plan run {run.pk} again", why=f"it is {locked.state}")
        return _write_plan(locked, actor=actor, reason=reason)


def _content(run: Run, planned: registry.PlanContent) -> dict[str, Any]:
    return {"workflow": run.workflow, "params": run.params, **planned.as_dict()}


def _write_plan(run: Run, *, actor: Any, reason: str) -> Run:
    workflow = registry.get(run.workflow)
    planned = workflow.plan(run)
    content = _content(run, planned)
    digest = approvals.digest_of(content)
    Plan.objects.create(
        run=run,
        content=content | {"estimates": planned.estimates},
        digest=digest,
        planned_at=clock.now(),
    )
    approvals.ask(
        run.subject,
        stage=STAGE,
        content=content,
        permission="winddown.approve_run",
        maker=actor,
        reason=reason,
        valid_for=workflow.approval_valid_for(run),
    )
    if run.state == Run.State.REQUESTED:
        run = transition_one(run, "submit", actor=actor, reason=reason, plan_digest=digest)
    else:
        Run.objects.filter(pk=run.pk).update(plan_digest=digest)
        run = Run.objects.get(pk=run.pk)
    audit.append(
        "run.plan",
        run.subject,
        actor=actor,
        reason=reason,
        run=run,
        workflow=run.workflow,
        digest=digest,
    )
    return run


def approve(run: Run, *, actor: Any, digest: str, reason: str) -> Run:
    """A second person has agreed to exactly the plan of `digest`; the run may start until the
    request expires.
    """
    with transaction.atomic():
        locked = _lock(run)
        approvals.decide(locked.subject, stage=STAGE, actor=actor, digest=digest, reason=reason)
        locked = transition_one(locked, "approve", actor=actor, reason=reason)
        audit.append(
            "run.approve", locked.subject, actor=actor, reason=reason, run=locked, digest=digest
        )
        return locked


def reject(run: Run, *, actor: Any, digest: str, reason: str) -> Run:
    """A second person refused the plan; the run is aborted."""
    with transaction.atomic():
        locked = _lock(run)
        approvals.decide(
            locked.subject, stage=STAGE, actor=actor, digest=digest, reason=reason, approve=False
        )
        locked = transition_one(locked, "reject", actor=actor, reason=reason, ended_at=clock.now())
        audit.append("run.reject", locked.subject, actor=actor, reason=reason, run=locked)
        return locked


def start(run: Run, *, actor: Any, reason: str = "") -> Run:
    """The run's instant effect is in force, its first batches wait, and workers are woken after the
    commit.

    The plan is counted again first: if the world changed since the approval, `PlanChanged` is
    raised and nothing happened. Raises `PlanExpired` after the request's 24 hours.
    """
    workflow = registry.get(run.workflow)
    with transaction.atomic():
        locked = _lock(run)
        request = (
            Approval.objects.filter(subject=locked.subject, stage=STAGE).order_by("-pk").first()
        )
        if locked.state == Run.State.APPROVED and request is not None:
            if clock.now() >= request.expires_at:
                raise PlanExpired(subject=locked.subject, expires_at=request.expires_at.isoformat())
            now_digest = approvals.digest_of(_content(locked, workflow.plan(locked)))
            if now_digest != locked.plan_digest:
                raise PlanChanged(
                    subject=locked.subject, approved=locked.plan_digest[:12], now=now_digest[:12]
                )
        at = clock.now()
        first = workflow.steps(locked)[0]
        locked = transition_one(
            locked,
            "start",
            actor=actor,
            reason=reason or locked.reason,
            started_at=at,
            as_of=at,
            step=first.name,
        )
        workflow.at_once(locked, actor=actor)
        _open_step(locked, first)
        audit.append(
            "run.start", locked.subject, actor=actor, reason=reason or locked.reason, run=locked
        )
        transaction.on_commit(lambda: wake(locked.pk), robust=True)
        return locked


def checker(run: Run) -> Any:
    """The second person who approved the run."""
    signature = Signature.objects.select_related("signer").get(
        subject=run.subject, part=Signature.Part.APPROVED
    )
    return signature.signer


# --- control --------------------------------------------------------------------------------------


def pause(run: Run, *, actor: Any, reason: str) -> Run:
    """No batch starts after the commit; one that is running finishes or rolls back."""
    return _control(run, "pause", actor=actor, reason=reason)


def resume(run: Run, *, actor: Any, reason: str) -> Run:
    """Batches are claimed again."""
    return _control(run, "resume", actor=actor, reason=reason)


def abort(run: Run, *, actor: Any, reason: str) -> Run:
    """The run has ended for good; what it did stays done."""
    return _control(run, "abort", actor=actor, reason=reason, ended_at=clock.now())


def _control(run: Run, name: str, *, actor: Any, reason: str, **changes: Any) -> Run:
    with transaction.atomic():
        locked = transition_one(run, name, actor=actor, reason=reason, **changes)
        audit.append(f"run.{name}", locked.subject, actor=actor, reason=reason, run=locked)
        if locked.state == Run.State.RUNNING:
            transaction.on_commit(lambda: wake(locked.pk), robust=True)
        return locked


def set_rate(run: Run, *, rows_s_max: int | None, actor: Any, reason: str) -> None:
    """All workers together move at most `rows_s_max` rows a second from the next batch on; None
    lifts the limit.
    """
    require(actor, "winddown.pause_run", action=f"set the rate of run {run.pk}")
    with transaction.atomic():
        Run.objects.filter(pk=run.pk).update(rate_rows_s_max=rows_s_max, paced_until=None)
        audit.append(
            "run.rate", run.subject, actor=actor, reason=reason, run=run, rows_s_max=rows_s_max
        )


def retry_failed(run: Run, *, reason_code: str, actor: Any, reason: str) -> int:
    """The failures of one class wait again, each as a batch of its own; the run is running. Returns
    how many.

    The failures stay stored, marked as retried. With none of that class, nothing changes and 0 is
    returned.
    """
    with transaction.atomic():
        locked = _lock(run)
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
        for batch in _batches_of(locked, failures):
            _reopen(batch, [failure.subject_id for failure in failures])
        StepTotal.objects.filter(run=locked, step__in=steps[steps.index(first) :]).update(
            ended_at=None
        )
        audit.append(
            "run.retry", locked.subject, actor=actor, reason=reason, run=locked, rows=len(failures)
        )
        transaction.on_commit(lambda: wake(locked.pk), robust=True)
        return len(failures)


def _batches_of(run: Run, failures: list[Failure]) -> list[Batch]:
    """The done batches in which the failures, all of one step, happened."""
    ids = [failure.subject_id for failure in failures]
    done = Batch.objects.filter(
        run=run, step=failures[0].step, state=Batch.State.DONE, failed__gt=0
    )
    return [batch for batch in done if any(batch.first_id <= pk <= batch.last_id for pk in ids)]


def _reopen(batch: Batch, ids: list[int]) -> None:
    """The rows `ids` of the batch wait in batches of one; what it moved stays counted, and only
    once.

    The batch itself becomes a split one that keeps what it moved; what lies between the reopened
    rows is done, and counts the failures that stay failures.
    """
    if batch.first_id == batch.last_id:
        Batch.objects.filter(pk=batch.pk).update(
            state=Batch.State.WAITING, attempts=0, failed=0, ended_at=None
        )
        return
    Batch.objects.filter(pk=batch.pk).update(state=Batch.State.SPLIT, failed=0)
    parts: list[Batch] = []
    first_id = batch.first_id
    for pk in sorted(pk for pk in ids if batch.first_id <= pk <= batch.last_id):
        parts += [
            _part(batch, first_id, pk - 1, Batch.State.DONE),
            _part(batch, pk, pk, Batch.State.WAITING),
        ]
        first_id = pk + 1
    parts.append(_part(batch, first_id, batch.last_id, Batch.State.DONE))
    Batch.objects.bulk_create(part for part in parts if part.first_id <= part.last_id)


def _part(batch: Batch, first_id: int, last_id: int, state: str) -> Batch:
    still_failed = Failure.objects.filter(
        run=batch.run_id,
        step=batch.step,
        retried_at=None,
        subject_id__gte=first_id,
        subject_id__lte=last_id,
    )
    waiting = state == Batch.State.WAITING
    return Batch(
        run_id=batch.run_id,
        step=batch.step,
        first_id=first_id,
        last_id=last_id,
        state=state,
        rows_expected=1 if waiting else 0,
        failed=0 if waiting else still_failed.count(),
        ended_at=None if waiting else batch.ended_at,
    )


# --- work -----------------------------------------------------------------------------------------


def work(
    run_id: int, *, worker: str | None = None, seconds_max: float = 60, batches_max: int = 500
) -> int:
    """Batches of the run were done one after another until none is left, the run stopped, or a
    limit was reached.

    Returns how many batches this call finished. Safe to call at any time, by any number of workers
    at once.
    """
    name = worker or f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident() % 10_000}"
    deadline = time.monotonic() + seconds_max
    finished = 0
    seen = 0.0
    claim: Batch | None = None
    while finished < batches_max and time.monotonic() < deadline:
        if time.monotonic() - seen > 5:
            note_seen(name, run_id=run_id)
            seen = time.monotonic()
        if claim is None and not _paced(run_id):
            continue
        claim = claim or _claim(run_id, name)
        if claim is None:
            if not _advance(run_id):
                break
            continue
        held = claim
        try:
            claim = _do(held, name, until=deadline)
        except KeyboardInterrupt:
            # Nobody has to wait for the lease of somebody who said that they stop.
            with suppress(DatabaseError):
                _put_back(held)
            raise
        finished += 1
    if claim is not None:
        _put_back(claim)
    return finished


def note_seen(worker: str, *, run_id: int | None = None) -> None:
    """`worker` was seen just now, by the database's own clock, at this run if it works on one."""
    Worker.objects.update_or_create(
        name=worker, defaults={"seen_at": _real_now(), "run_id": run_id}
    )


def was_seen(worker: str, *, within_s: int) -> bool:
    """`worker` was seen during the last `within_s` seconds."""
    since = _real_now() - dt.timedelta(seconds=within_s)
    return Worker.objects.filter(name=worker, seen_at__gte=since).exists()


def _claim(run_id: int, worker: str) -> Batch | None:
    """The next batch of the run's step under a lease, or None when nothing may be started now.

    The search is materialised: as a mere subquery it may become the inner side of a nested loop,
    where it runs, and finds another batch, once for every row of the outer side.
    """
    found = Batch.objects.raw(
        """
        WITH free AS MATERIALIZED (
            SELECT w.id FROM winddown_batch w JOIN winddown_run r ON r.id = w.run_id
            WHERE r.id = %s AND r.state = 'running' AND w.step = r.step
              AND (w.state = 'waiting' OR (w.state = 'leased' AND w.lease_until < clock_timestamp()))
            ORDER BY w.id LIMIT 1 FOR UPDATE OF w SKIP LOCKED
        )
        UPDATE winddown_batch b
        SET state = 'leased', token = b.token + 1, attempts = b.attempts + 1, worker = %s,
            lease_until = clock_timestamp() + make_interval(secs => %s)
        FROM free WHERE b.id = free.id RETURNING b.*
        """,
        [run_id, worker, LEASE_S],
    )
    return next(iter(found), None)


def _do(batch: Batch, worker: str, *, until: float = math.inf) -> Batch | None:
    """`batch` is done, split, or left to its lease; returns the next claim when one was taken in
    the same commit.
    """
    if batch.attempts > ATTEMPTS_MAX:
        _isolate(batch)
        return None
    try:
        with transaction.atomic():
            run = _fenced(batch)
            if run is None:
                return None
            step = registry.get(run.workflow).step(run, batch.step)
            rows = step.rows(run).filter(pk__gte=batch.first_id, pk__lte=batch.last_id)
            if not step.outward:
                moved = step.apply(run, batch, rows)
                assert moved is not None, step.name
                _finish(run, batch, moved=moved.rows, amount_minor=moved.amount_minor)
                return _claim(run.pk, worker) if run.rate_rows_s_max is None else None
    except OperationalError:
        # Lost connection, deadlock, lock or statement timeout: the transaction is gone, so the
        # batch may be tried again.
        connection.close_if_unusable_or_obsolete()
        _release(batch)
        return None
    except (WinddownError, DatabaseError):
        _one_by_one(batch)
        return None
    _reach_out(run, step, batch, rows, until=until)
    return None


def _reach_out(
    run: Run, step: registry.Step, batch: Batch, rows: QuerySet[Any], *, until: float
) -> None:
    """The outward batch is done, put back because the run or the worker's time ended, or another's.

    What its `apply` raises is about the world outside and not about one row: the run pauses itself
    with that reason.
    """
    lease = Lease(batch, until=until)
    try:
        with lease:
            step.apply(run, lease, rows)
        if lease.halted:
            _put_back(batch)
        else:
            with transaction.atomic():
                if _fenced(batch) is not None:
                    done = Batch.objects.get(pk=batch.pk)
                    _finish(run, batch, moved=done.moved, amount_minor=0, failed=done.failed)
    except LeaseLost:
        return
    except OperationalError:
        connection.close_if_unusable_or_obsolete()
        _release(batch)
        return
    except WinddownError as refusal:
        _put_back(batch)
        _pause_itself(run.pk, str(refusal))
        return
    _break_circuit(run.pk)
    watch(run.pk)


def watch(run_id: int) -> None:
    """The run has paused itself if its workflow knows of trouble."""
    run = Run.objects.get(pk=run_id)
    if run.state == Run.State.RUNNING and (reason := registry.get(run.workflow).trouble(run)):
        _pause_itself(run_id, reason)


def _pause_itself(run_id: int, reason: str) -> None:
    with transaction.atomic():
        run = Run.objects.select_for_update(no_key=True).get(pk=run_id)
        if run.state == Run.State.RUNNING:
            _stop(run, reason)


def _stop(run: Run, reason: str) -> None:
    run = transition_one(run, "pause", actor=SYSTEM, reason=reason)
    audit.append("run.pause", run.subject, actor=SYSTEM, reason=reason, run=run)


def _put_back(batch: Batch) -> None:
    """The claim's batch waits again as if it had not been tried."""
    Batch.objects.filter(pk=batch.pk, token=batch.token, state=Batch.State.LEASED).update(
        state=Batch.State.WAITING, lease_until=None, attempts=F("attempts") - 1
    )


def _fenced(batch: Batch) -> Run | None:
    """The batch's run, if this claim is still the one that counts and the run is still running.

    Only the batch is locked: with the run's row in the lock too, the workers of a run would wait
    for each other.
    """
    found = Run.objects.raw(
        """
        SELECT r.* FROM winddown_run r JOIN winddown_batch b ON b.run_id = r.id
        WHERE b.id = %s AND b.token = %s AND b.state = 'leased' FOR UPDATE OF b
        """,
        [batch.pk, batch.token],
    )
    run = next(iter(found), None)
    if run is not None and run.state != Run.State.RUNNING:
        Batch.objects.filter(pk=batch.pk).update(
            state=Batch.State.WAITING, lease_until=None, attempts=F("attempts") - 1
        )
        return None
    return run


def _finish(run: Run, batch: Batch, *, moved: int, amount_minor: int, failed: int = 0) -> None:
    Batch.objects.filter(pk=batch.pk).update(
        state=Batch.State.DONE,
        lease_until=None,
        moved=moved,
        failed=failed,
        amount_minor=amount_minor,
        ended_at=Func(function="clock_timestamp", output_field=DateTimeField()),
    )
    audit.append(
        "run.batch",
        f"{run.subject}:{batch.step}:{batch.first_id}",
        actor=SYSTEM,
        run=run,
        moved=moved,
        failed=failed,
        amount_minor=amount_minor,
    )


def _release(batch: Batch) -> None:
    Batch.objects.filter(pk=batch.pk, token=batch.token, state=Batch.State.LEASED).update(
        state=Batch.State.WAITING, lease_until=None
    )


def _one_by_one(batch: Batch) -> None:
    """Every row of the batch that can move has moved; each that cannot is a stored failure with its
    reason.

    The range is halved until the rows that refuse are alone, each half under its own savepoint.
    """
    with transaction.atomic():
        run = _fenced(batch)
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
        _finish(run, batch, moved=moved, amount_minor=amount_minor, failed=len(failures))
    _break_circuit(batch.run_id)


def _halve(
    run: Run, batch: Batch, step: registry.Step, ids: list[int]
) -> tuple[int, int, list[Failure]]:
    if not ids:
        return 0, 0, []
    try:
        with transaction.atomic():
            moved = step.apply(run, batch, step.rows(run).filter(pk__in=ids))
            assert moved is not None, step.name
            return moved.rows, moved.amount_minor, []
    except OperationalError:
        raise
    except (WinddownError, DatabaseError) as refusal:
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
    """A class and a sentence without the row's values, which a database error's detail would carry."""
    if isinstance(refusal, WinddownError):
        return refusal.code, str(refusal)
    cause: Any = refusal.__cause__
    state = getattr(cause, "sqlstate", None) or type(refusal).__name__
    constraint = getattr(getattr(cause, "diag", None), "constraint_name", None)
    return f"sql_{state}", constraint or type(refusal).__name__


def _isolate(batch: Batch) -> None:
    """A batch that killed its worker again and again is split; a single row that did so is parked
    as a failure.
    """
    with transaction.atomic():
        run = _fenced(batch)
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
            _finish(run, batch, moved=0, amount_minor=0, failed=1)
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


def _break_circuit(run_id: int) -> None:
    """A run that fails too often has paused itself with the reason."""
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
        _stop(run, f"circuit breaker: {failed} of {moved + failed} rows failed")


def _paced(run_id: int) -> bool:
    """True when a batch of the run may be claimed now; all workers share the pace that stands in
    the run's row.

    A turn that is near is booked and waited for. One that is far is not: the worker looks again in
    a second, so that a pause, a new rate or the end of its time is not slept through.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH next AS (
                SELECT w.rows_expected, r.rate_rows_s_max FROM winddown_batch w JOIN winddown_run r ON r.id = w.run_id
                WHERE w.run_id = %s AND w.state = 'waiting' AND r.state = 'running' AND r.rate_rows_s_max IS NOT NULL
                ORDER BY w.id LIMIT 1
            ), booked AS (
                UPDATE winddown_run r
                SET paced_until = greatest(r.paced_until, clock_timestamp())
                    + make_interval(secs => next.rows_expected::double precision / next.rate_rows_s_max)
                FROM next
                WHERE r.id = %s AND (r.paced_until IS NULL OR r.paced_until < clock_timestamp() + interval '1 second')
                RETURNING extract(epoch FROM r.paced_until - clock_timestamp())::double precision
                    - next.rows_expected::double precision / next.rate_rows_s_max AS wait_s
            )
            SELECT (SELECT wait_s FROM booked) FROM next
            """,
            [run_id, run_id],
        )
        turn = cursor.fetchone()
    if turn is None:
        return True
    if turn[0] is None:
        time.sleep(1)
        return False
    if turn[0] > 0:
        time.sleep(turn[0])
    return True


def _open_step(run: Run, step: registry.Step) -> None:
    """Every row in scope of the step stands in exactly one waiting batch, and their number is
    fixed.

    When a retry comes by a step that was done before, the rows that it mended are added; rows that
    failed there stay failed, and a batch that is there already is not made twice.
    """
    total = StepTotal.objects.filter(run=run, step=step.name).first()
    scope = step.rows(run)
    if total is not None:
        failed = Failure.objects.filter(run=run, step=step.name, retried_at=None)
        scope = scope.exclude(Exists(failed.filter(subject_id=OuterRef("pk"))))
    inner, params = scope.order_by("pk").values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH opened AS (INSERT INTO winddown_batch"  # noqa: S608
            " (run_id, step, first_id, last_id, rows_expected, state, token, attempts, worker,"
            " moved, failed, amount_minor)"
            " SELECT %s, %s, min(id), max(id), count(*), 'waiting', 0, 0, '', 0, 0, 0"
            " FROM (SELECT id, (row_number() OVER (ORDER BY id) - 1) / %s AS n"
            f" FROM ({inner}) AS scope (id)) AS numbered"
            " GROUP BY n ORDER BY n ON CONFLICT DO NOTHING RETURNING rows_expected)"
            " SELECT coalesce(sum(rows_expected), 0) FROM opened",
            [run.pk, step.name, step.batch_rows, *params],
        )
        opened = int(cursor.fetchone()[0])
    if total is None:
        StepTotal.objects.create(
            run=run, step=step.name, rows_expected=opened, started_at=clock.now()
        )
    else:
        StepTotal.objects.filter(pk=total.pk).update(
            rows_expected=F("rows_expected") + opened, ended_at=None
        )


def _advance(run_id: int) -> bool:
    """True when the run went on to a next step; a run whose last step is done is verified and
    ended.

    Exactly one caller does it: the run's row is locked, and a step with an unfinished batch is left
    alone.
    """
    with transaction.atomic():
        run = Run.objects.select_for_update(no_key=True).filter(pk=run_id).first()
        if run is None or run.state != Run.State.RUNNING:
            return False
        if Batch.objects.filter(run=run, step=run.step, state__in=["waiting", "leased"]).exists():
            return False
        workflow = registry.get(run.workflow)
        StepTotal.objects.filter(run=run, step=run.step, ended_at=None).update(ended_at=clock.now())
        steps = workflow.steps(run)
        position = next(index for index, step in enumerate(steps) if step.name == run.step)
        if position + 1 < len(steps):
            following = steps[position + 1]
            # Trouble is asked for here too: another worker may come by before the one that met it
            # has said so.
            if reason := workflow.trouble(run) or workflow.not_yet(run, following):
                _stop(run, reason)
                return False
            Run.objects.filter(pk=run.pk).update(step=following.name)
            run.step = following.name
            _open_step(run, following)
            audit.append("run.step", f"{run.subject}:{following.name}", actor=SYSTEM, run=run)
            transaction.on_commit(lambda: wake(run.pk), robust=True)
            return True
        _end(run, workflow)
        return False


def _end(run: Run, workflow: registry.Workflow) -> None:
    """The run is verified against its plan and the world, and has ended in the state that says the
    outcome.
    """
    gaps = workflow.verify(run)
    failures = Failure.objects.filter(run=run, retried_at=None).count()
    clean = not gaps and not failures
    run = transition_one(
        run,
        "succeed" if clean else "end_with_failures",
        actor=SYSTEM,
        reason="; ".join(gaps)[:2000],
        ended_at=clock.now(),
    )
    if clean:
        workflow.at_end(run)
    audit.append("run.end", run.subject, actor=SYSTEM, run=run, gaps=gaps, failures=failures)


# --- look -----------------------------------------------------------------------------------------


def active(name: str) -> Run | None:
    """The run of the workflow that has not ended, if there is one."""
    return Run.objects.filter(workflow=name).exclude(state__in=Run.ENDED).first()


def latest(name: str, *, states: tuple[str, ...]) -> Run:
    """The newest run of the workflow in one of `states`; raises `RunNotFound`."""
    run = Run.objects.filter(workflow=name, state__in=states).order_by("-pk").first()
    if run is None:
        raise RunNotFound(workflow=name, wanted=" or ".join(states))
    return run


def progress(run: Run) -> Progress:
    """How far the run's present step is, counted from its batches."""
    fresh = Run.objects.get(pk=run.pk)
    steps = registry.get(fresh.workflow).steps(fresh)
    done = Batch.objects.filter(run=fresh, step=fresh.step).aggregate(
        all_moved=Sum("moved"),
        all_failed=Sum("failed"),
        amount=Sum("amount_minor"),
        recent=Sum("moved", filter=Q(ended_at__gte=_real_now() - dt.timedelta(seconds=10))),
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
    """Rows moved per step."""
    rows = (
        Batch.objects.filter(run=run).values("step").annotate(total=Sum("moved")).order_by("step")
    )
    return {row["step"]: row["total"] for row in rows}


def paused_because(run: Run) -> str:
    """The reason of the pause in which the run is; empty when it is not paused."""
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


def owed() -> list[int]:
    """The runs that have something a worker could do now."""
    return list(
        Run.objects.filter(state=Run.State.RUNNING).order_by("pk").values_list("pk", flat=True)
    )


def unattended(seconds: int = 60) -> list[str]:
    """One sentence per running run on which no worker was seen for `seconds`: what the watchdog
    reports.
    """
    since = _real_now() - dt.timedelta(seconds=seconds)
    seen = Worker.objects.filter(seen_at__gte=since, run_id__isnull=False).values("run_id")
    waiting = Run.objects.filter(state=Run.State.RUNNING).exclude(pk__in=seen)
    return [f"{run}: no worker for {seconds} s" for run in waiting]


def _lock(run: Run) -> Run:
    return Run.objects.select_for_update(no_key=True).get(pk=run.pk)


def _real_now() -> dt.datetime:
    """The database's own clock, which the rehearsal does not move: leases and heartbeats live by
    it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        instant: dt.datetime = cursor.fetchone()[0]
    return instant


def _decided(said: approvals.Decided) -> object:
    run = Run.objects.get(pk=int(said.key))
    verb = approve if said.approve else reject
    return verb(run, actor=said.actor, digest=said.digest, reason=said.reason)


approvals.DECIDERS["run"] = _decided
