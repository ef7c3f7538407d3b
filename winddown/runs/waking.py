"""Wake-ups tell workers that a run waits; heartbeats tell the watchdog that workers are alive."""

from __future__ import annotations

import datetime as dt
import logging

from celery import current_app
from django.db import (
    connection,
)
from kombu.exceptions import OperationalError as BrokerDown

from winddown.models import (
    Run,
    Worker,
)

DRAIN = "winddown.drain"


WAKE_UPS = 4


log = logging.getLogger(__name__)


def wake(run_id: int, *, times: int = WAKE_UPS) -> None:
    """The run's queue has one wake-up per slot. A wake-up that finds no work ends at once.

    If the broker is down, the next tick wakes the run.
    """
    queue = Run.objects.values_list("workflow", flat=True).get(pk=run_id)
    try:
        for _ in range(times):
            current_app.send_task(DRAIN, args=[run_id], queue=queue)
    except BrokerDown:
        log.warning("run %s could not be announced to the broker; the tick will", run_id)


def note_seen(worker: str, *, run_id: int | None = None) -> None:
    """`worker` was seen just now, by the database's own clock, and at this run if one is given."""
    Worker.objects.update_or_create(name=worker, defaults={"seen_at": real_now(), "run_id": run_id})


def was_seen(worker: str, *, within_s: float) -> bool:
    """Returns whether `worker` was seen during the last `within_s` seconds."""
    since = real_now() - dt.timedelta(seconds=within_s)
    return Worker.objects.filter(name=worker, seen_at__gte=since).exists()


def owed() -> list[int]:
    """Returns the runs with work that a worker could do now."""
    return list(
        Run.objects.filter(state=Run.State.RUNNING).order_by("pk").values_list("pk", flat=True)
    )


def unattended(seconds: int = 60) -> list[Run]:
    """Returns the running runs at which no worker was seen for `seconds`."""
    since = real_now() - dt.timedelta(seconds=seconds)
    seen = Worker.objects.filter(seen_at__gte=since, run_id__isnull=False).values("run_id")
    return list(Run.objects.filter(state=Run.State.RUNNING).exclude(pk__in=seen).order_by("pk"))


def real_now() -> dt.datetime:
    """Returns the database's own time, which a rehearsal does not move. Leases and heartbeats use
    it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        instant: dt.datetime = cursor.fetchone()[0]
    return instant
