"""The loop of a worker: it claims and does one batch after another. Any process may die at any
time.
"""

from __future__ import annotations

import logging
import math
import os
import socket
import threading
import time
from contextlib import suppress
from typing import Any

from django.db import (
    DatabaseError,
    Error,
    connection,
    transaction,
)
from django.db.models import QuerySet

from winddown.errors import (
    WinddownError,
)
from winddown.models import (
    Batch,
    Run,
)
from winddown.runs import batches, clocks, control, failing, registry, stalls, steps, waking
from winddown.runs.failing import ATTEMPTS_MAX
from winddown.runs.leases import Lease, LeaseLost
from winddown.runs.stalls import Cause

log = logging.getLogger(__name__)


def work(
    run_id: int, *, worker: str | None = None, seconds_max: float = 60, batches_max: int = 500
) -> int:
    """Batches of the run were done until none is left, the run stopped, or a limit was reached.

    A row that raises any error is a stored failure. An error outside the rows pauses the run with its
    class and place, so no run stays running for ever. Returns how many batches this
    call finished or put off. Any number of workers may call it at any time.
    """
    name = worker or f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident() % 10_000}"
    deadline = time.monotonic() + seconds_max
    ended = 0
    seen = 0.0
    held_up = False
    claim: Batch | None = None
    while ended < batches_max and time.monotonic() < deadline:
        try:
            if time.monotonic() - seen > 5:
                waking.note_seen(name, run_id=run_id)
                clocks.note_clock()
                seen = time.monotonic()
            if claim is None and not _paced(run_id):
                continue
            claim = claim or batches.claim(run_id, name)
            if claim is None:
                if steps.advance(run_id) or (held_up and _waited(run_id, until=deadline)):
                    continue
                break
            claim = _do(claim, name, until=deadline)
        except KeyboardInterrupt:
            # A worker that stops normally gives its batch back, so that nobody waits for the lease.
            if claim is not None:
                with suppress(DatabaseError):
                    batches.put_back(claim)
            raise
        except Error as error:
            cause = stalls.cause_of(error)
            if cause is None:
                _pause_by(error, run_id, claim)
                return ended
            log.warning("run %s: %s held a batch up; it is tried again", run_id, cause)
            _put_off(run_id, name, cause, until=deadline)
            claim, held_up = None, True
        except Exception as bug:
            _pause_by(bug, run_id, claim)
            return ended
        ended += 1
    if claim is not None:
        batches.put_back(claim)
    return ended


def _pause_by(bug: Exception, run_id: int, claim: Batch | None) -> None:
    """The batch is given back, and the run has paused itself with the error's class and place."""
    told = failing.told(bug)
    log.error("run %s pauses itself: %s", run_id, told)
    if claim is not None:
        batches.put_back(claim)
    control.pause_itself(run_id, f"error in the code: {told}")


def work_off() -> list[int]:
    """Every running run was worked on until it has no batch left. Returns the runs with work."""
    found = []
    for run_id in waking.owed():
        while work(run_id):
            found.append(run_id)
    return list(dict.fromkeys(found))


def _waited(run_id: int, *, until: float) -> bool:
    """Returns whether a batch of the run was put off, and is due now or the worker's time is over.

    Only the worker that was held up waits; the others have gone to other work.
    """
    due_s = batches.due_in_s(run_id)
    if due_s is None:
        return False
    time.sleep(max(0.0, min(due_s, until - time.monotonic())))
    return True


def _put_off(run_id: int, worker: str, cause: Cause, *, until: float) -> None:
    """The worker's claims are put off, as soon as the database answers."""
    while True:
        if cause.ends_the_connection:
            connection.close()
        try:
            batches.put_off(run_id, worker, cause)
            return
        except Error as error:
            again = stalls.cause_of(error)
            if again is None or time.monotonic() >= until:
                raise
            cause = again
        time.sleep(1)


def _do(batch: Batch, worker: str, *, until: float = math.inf) -> Batch | None:
    """`batch` is done or split. Returns the next claim if the same commit took one."""
    if batch.attempts > ATTEMPTS_MAX:
        failing.isolate(batch)
        return None
    try:
        with transaction.atomic():
            run = batches.fenced(batch)
            if run is None:
                return None
            step = registry.get(run.workflow).step(run, batch.step)
            rows = step.rows(run).filter(pk__gte=batch.first_id, pk__lte=batch.last_id)
            if not step.outward:
                moved = step.apply(run, batch, rows)
                if moved is None:
                    raise AssertionError(f"step {step.name} answers without having worked")
                batches.finish(run, batch, moved=moved.rows, amount_minor=moved.amount_minor)
                return batches.claim(run.pk, worker) if run.rate_rows_s_max is None else None
    except Exception as refusal:
        # The transaction is rolled back. What was only held up is put off by `work`.
        if stalls.cause_of(refusal):
            raise
        failing.one_by_one(batch)
        return None
    _reach_out(run, step, batch, rows, until=until)
    return None


def _reach_out(
    run: Run, step: registry.Step, batch: Batch, rows: QuerySet[Any], *, until: float
) -> None:
    """The outward batch is done, or put back because the run or the worker's time ended, or taken
    over by another worker.

    An error that `apply` raises concerns the outside system and not one row, so the run pauses
    itself with that reason.
    """
    lease = Lease(batch, until=until)
    try:
        with lease:
            step.apply(run, lease, rows)
        if lease.halted:
            batches.put_back(batch)
        else:
            with transaction.atomic():
                if batches.fenced(batch) is not None:
                    done = Batch.objects.get(pk=batch.pk)
                    batches.finish(run, batch, moved=done.moved, amount_minor=0, failed=done.failed)
    except LeaseLost:
        return
    except WinddownError as refusal:
        batches.put_back(batch)
        control.pause_itself(run.pk, str(refusal))
        return
    failing.break_circuit(run.pk)
    pause_if_told(run.pk)


def pause_if_told(run_id: int) -> None:
    """The run has paused itself, if its workflow returns a reason."""
    run = Run.objects.get(pk=run_id)
    if run.state == Run.State.RUNNING and (
        reason := registry.get(run.workflow).reason_to_pause(run)
    ):
        control.pause_itself(run_id, reason)


def _paced(run_id: int) -> bool:
    """Returns whether a batch of the run may be claimed now. All workers share the rate in the
    run's row.

    The worker reserves a turn that is near and waits for it. For a later turn it checks again in a
    second, so that it notices a pause, a new rate or the end of its time.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH next AS (
                SELECT w.rows_expected, r.rate_rows_s_max FROM winddown_batch w JOIN winddown_run r ON r.id = w.run_id
                WHERE w.run_id = %s AND w.state = %s AND r.state = %s AND r.rate_rows_s_max IS NOT NULL
                  AND coalesce(w.not_before <= clock_timestamp(), true)
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
            [run_id, Batch.State.WAITING, Run.State.RUNNING, run_id],
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
