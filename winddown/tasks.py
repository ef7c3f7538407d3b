"""The Celery tasks: a message is a wake-up with an id; a lost or doubled one changes nothing."""

from __future__ import annotations

from celery import shared_task

from winddown.programme import verification
from winddown.runs import clockwork, waking, working


@shared_task(name=waking.DRAIN)
def drain(run_id: int) -> None:
    """Batches of the run were done for up to a minute; a new wake-up is sent for the rest."""
    if working.work(run_id, seconds_max=60) and run_id in waking.owed():
        waking.wake(run_id, times=1)


@shared_task(name="winddown.tick")
def tick() -> None:
    """One tick of the clockwork, unless another one has just been done."""
    if clockwork.fell_due():
        clockwork.tick()


@shared_task(name="winddown.watch")
def watch() -> None:
    """Runs the watches of every app, once a minute."""
    clockwork.do_watches()


@shared_task(name="winddown.follow_up")
def follow_up() -> None:
    """Runs the follow-ups of every app, and writes the watchdog's alarms to the log."""
    clockwork.follow_up()


@shared_task(name="winddown.verify")
def verify() -> None:
    """Checks the invariants that are due to be checked."""
    verification.verify_due()
