"""The loop of a worker: it claims and does one batch after another. Any process may die at any
time.
"""

from __future__ import annotations

import math
import os
import socket
import threading
import time
from contextlib import suppress
from typing import Any

from django.db import (
    DatabaseError,
    OperationalError,
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
from winddown.runs import batches, control, failing, registry, steps, waking
from winddown.runs.failing import ATTEMPTS_MAX
from winddown.runs.leases import Lease, LeaseLost


def work(
    run_id: int, *, worker: str | None = None, seconds_max: float = 60, batches_max: int = 500
) -> int:
    """Batches of the run were done until none is left, the run stopped, or a limit was reached.

    Returns how many batches this call finished. Any number of workers may call it at any time.
    """
    name = worker or f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident() % 10_000}"
    deadline = time.monotonic() + seconds_max
    finished = 0
    seen = 0.0
    claim: Batch | None = None
    while finished < batches_max and time.monotonic() < deadline:
        if time.monotonic() - seen > 5:
            waking.note_seen(name, run_id=run_id)
            seen = time.monotonic()
        if claim is None and not _paced(run_id):
            continue
        claim = claim or batches.claim(run_id, name)
        if claim is None:
            if not steps.advance(run_id):
                break
            continue
        held = claim
        try:
            claim = _do(held, name, until=deadline)
        except KeyboardInterrupt:
            # A worker that stops in good order gives its batch back, so that nobody waits for the
            # lease.
            with suppress(DatabaseError):
                batches.put_back(held)
            raise
        finished += 1
    if claim is not None:
        batches.put_back(claim)
    return finished


def _do(batch: Batch, worker: str, *, until: float = math.inf) -> Batch | None:
    """`batch` is done, split, or left until its lease expires. Returns the next claim if the same
    commit took one.
    """
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
                assert moved is not None, step.name
                batches.finish(run, batch, moved=moved.rows, amount_minor=moved.amount_minor)
                return batches.claim(run.pk, worker) if run.rate_rows_s_max is None else None
    except OperationalError:
        # After a lost connection, a deadlock, or a lock or statement timeout the transaction is
        # rolled back, so the batch may be tried again.
        connection.close_if_unusable_or_obsolete()
        batches.release(batch)
        return None
    except (WinddownError, DatabaseError):
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
    except OperationalError:
        connection.close_if_unusable_or_obsolete()
        batches.release(batch)
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
