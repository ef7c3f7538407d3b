"""Wake-ups and heartbeats: what tells workers that a run waits, and the watchdog that they live."""

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


def note_seen(worker: str, *, run_id: int | None = None) -> None:
    """`worker` was seen just now, by the database's own clock, at this run if it works on one."""
    Worker.objects.update_or_create(name=worker, defaults={"seen_at": real_now(), "run_id": run_id})


def was_seen(worker: str, *, within_s: int) -> bool:
    """`worker` was seen during the last `within_s` seconds."""
    since = real_now() - dt.timedelta(seconds=within_s)
    return Worker.objects.filter(name=worker, seen_at__gte=since).exists()


def owed() -> list[int]:
    """The runs that have something a worker could do now."""
    return list(
        Run.objects.filter(state=Run.State.RUNNING).order_by("pk").values_list("pk", flat=True)
    )


def unattended(seconds: int = 60) -> list[str]:
    """One sentence per running run on which no worker was seen for `seconds`: what the watchdog
    reports.
    """
    since = real_now() - dt.timedelta(seconds=seconds)
    seen = Worker.objects.filter(seen_at__gte=since, run_id__isnull=False).values("run_id")
    waiting = Run.objects.filter(state=Run.State.RUNNING).exclude(pk__in=seen)
    return [f"{run}: no worker for {seconds} s" for run in waiting]


def real_now() -> dt.datetime:
    """The database's own clock, which the rehearsal does not move: leases and heartbeats live by
    it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        instant: dt.datetime = cursor.fetchone()[0]
    return instant
