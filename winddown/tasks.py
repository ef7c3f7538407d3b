"""Celery's door: a message is a wake-up with an id, and losing or doubling one changes nothing."""

from __future__ import annotations

import logging

from celery import shared_task

from winddown import audit, milestones, runner
from winddown.models import Run

log = logging.getLogger(__name__)


@shared_task(name="winddown.drain")
def drain(run_id: int) -> None:
    """Batches of the run are worked off for up to a minute; what is left is woken again."""
    if runner.work(run_id, seconds_max=60) and run_id in runner.owed():
        wake(run_id, times=1)


@shared_task(name="winddown.tick")
def tick() -> None:
    """Due milestones have fired, what is owed is awake, and new movements are sealed into the audit journal."""
    milestones.fire_due()
    for run_id in runner.owed():
        wake(run_id)
    audit.seal()


def wake(run_id: int, *, times: int = 4) -> None:
    """Wake-ups for the run are in its queue, for as many slots; one that finds nothing to do ends at once.

    A broker that is down only means that the tick comes first.
    """
    queue = Run.objects.values_list("workflow", flat=True).get(pk=run_id)
    try:
        for _ in range(times):
            drain.apply_async([run_id], queue=queue)
    except drain.OperationalError:
        log.warning("run %s could not be announced to the broker; the tick will", run_id)
