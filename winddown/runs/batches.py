"""Batches: claimed under a lease, finished, put back, split, opened again. PostgreSQL is the queue."""

from __future__ import annotations

from django.db import connection
from django.db.models import DateTimeField, F, Func

from winddown.actors import SYSTEM
from winddown.evidence import audit
from winddown.models import (
    Batch,
    Failure,
    Run,
)
from winddown.runs.leases import LEASE_S
from winddown.runs.stalls import Cause

# A batch that was held up waits so long before its next attempt, and twice as long each time.
PUT_OFF_S = 0.25
PUT_OFF_S_MAX = 5.0


def batches_of(run: Run, failures: list[Failure]) -> list[Batch]:
    """Returns the done batches with these failures, which all belong to one step."""
    ids = [failure.subject_id for failure in failures]
    done = Batch.objects.filter(
        run=run, step=failures[0].step, state=Batch.State.DONE, failed__gt=0
    )
    return [batch for batch in done if any(batch.first_id <= pk <= batch.last_id for pk in ids)]


def reopen(batch: Batch, ids: list[int]) -> None:
    """Each row of `ids` waits in a batch of its own. The rows that the batch moved stay counted
    once.

    The batch becomes a split one and keeps the count of moved rows. The ranges between the reopened
    rows become done batches; these count the remaining failures.
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


def claim(run_id: int, worker: str) -> Batch | None:
    """Returns the next batch of the run's step under a lease, or None when no batch may start now.

    The search is materialised. As a plain subquery it may become the inner side of a nested loop.
    Then it runs once for every outer row and finds another batch each time.
    """
    found = Batch.objects.raw(
        """
        WITH free AS MATERIALIZED (
            SELECT w.id FROM winddown_batch w JOIN winddown_run r ON r.id = w.run_id
            WHERE r.id = %(run)s AND r.state = %(running)s AND w.step = r.step
              AND (w.state = %(waiting)s AND coalesce(w.not_before <= clock_timestamp(), true)
                OR (w.state = %(leased)s AND w.lease_until < clock_timestamp()))
            ORDER BY w.id LIMIT 1 FOR UPDATE OF w SKIP LOCKED
        )
        UPDATE winddown_batch b
        SET state = %(leased)s, token = b.token + 1, attempts = b.attempts + 1, worker = %(worker)s,
            lease_until = clock_timestamp() + make_interval(secs => %(lease_s)s)
        FROM free WHERE b.id = free.id RETURNING b.*
        """,
        {
            "run": run_id,
            "worker": worker,
            "lease_s": LEASE_S,
            "running": Run.State.RUNNING,
            "waiting": Batch.State.WAITING,
            "leased": Batch.State.LEASED,
        },
    )
    return next(iter(found), None)


def put_back(batch: Batch) -> None:
    """The claimed batch waits again, without counting an attempt."""
    Batch.objects.filter(pk=batch.pk, token=batch.token, state=Batch.State.LEASED).update(
        state=Batch.State.WAITING, lease_until=None, attempts=F("attempts") - 1
    )


def fenced(batch: Batch) -> Run | None:
    """Returns the batch's run, if this claim is still valid and the run is still running.

    Only the batch is locked. A lock on the run's row would make the workers of the run wait for
    each other.
    """
    found = Run.objects.raw(
        """
        SELECT r.* FROM winddown_run r JOIN winddown_batch b ON b.run_id = r.id
        WHERE b.id = %s AND b.token = %s AND b.state = %s FOR UPDATE OF b
        """,
        [batch.pk, batch.token, Batch.State.LEASED],
    )
    run = next(iter(found), None)
    if run is not None and run.state != Run.State.RUNNING:
        Batch.objects.filter(pk=batch.pk).update(
            state=Batch.State.WAITING, lease_until=None, attempts=F("attempts") - 1
        )
        return None
    return run


def finish(run: Run, batch: Batch, *, moved: int, amount_minor: int, failed: int = 0) -> None:
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


def put_off(run_id: int, worker: str, cause: Cause) -> None:
    """The worker's claims on the run wait for a while and record what held them up.

    No attempt is counted. This takes every claim of the worker: a connection that was lost during a
    commit may have claimed a batch without an answer.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE winddown_batch
            SET state = %s, lease_until = NULL, attempts = attempts - 1,
                stalls = stalls + 1, stalled_by = %s,
                not_before = clock_timestamp() + make_interval(
                    secs => least(%s * 2 ^ least(stalls, 30), %s) * (0.5 + random() / 2))
            WHERE run_id = %s AND worker = %s AND state = %s
            """,
            [
                Batch.State.WAITING,
                cause,
                PUT_OFF_S,
                PUT_OFF_S_MAX,
                run_id,
                worker,
                Batch.State.LEASED,
            ],
        )


def due_in_s(run_id: int) -> float | None:
    """Returns after how many seconds the first batch that was put off may be claimed; None when no
    batch was.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM min(w.not_before) - clock_timestamp())::double precision"
            " FROM winddown_batch w JOIN winddown_run r ON r.id = w.run_id AND r.step = w.step"
            " WHERE r.id = %s AND r.state = %s AND w.state = %s",
            [run_id, Run.State.RUNNING, Batch.State.WAITING],
        )
        due = cursor.fetchone()[0]
    return None if due is None else max(float(due), 0.0)
