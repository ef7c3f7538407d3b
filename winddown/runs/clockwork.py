"""The tick: whatever is owed by now is done or awake. Doubled, late or missed, it changes nothing
but the time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.conf import settings

from winddown.evidence import audit
from winddown.registries import Registry
from winddown.runs import waking

log = logging.getLogger(__name__)

# The clockwork signs its ticks under this name among the workers.
TICK = "tick"

FOLLOW_UPS: Registry[Callable[[], object]] = Registry(
    "follow-ups",
    entries_are="what time alone changes, done every hour; harmless to repeat",
    owner=__name__,
)
OWED: Registry[Callable[[], object]] = Registry(
    "owed work",
    entries_are="what must not wait for a lost wake-up, done at every tick; short, harmless to repeat",
    owner=__name__,
)
WATCHES: Registry[Callable[[], object]] = Registry(
    "watches",
    entries_are="what must be seen within a minute; cheap when nothing is new, harmless to repeat",
    owner=__name__,
)
ALARMS: Registry[Callable[[], list[str]]] = Registry(
    "clockwork alarms",
    entries_are="one sentence for each thing that needs a person now, for the log and the watchdog",
    owner=__name__,
)

FOLLOW_UPS.add("head of the audit chain", lambda: audit.keep_head(settings.AUDIT_HEADS_DIR))


def tick() -> None:
    """Owed work is done (due milestones fire first), runs are awake, new movements are sealed into
    the audit journal, and the incident page sees that the tick came.
    """
    _do_owed()
    for run_id in waking.owed():
        waking.wake(run_id)
    audit.seal()
    waking.note_seen(TICK)


def _do_owed() -> None:
    for name, work in OWED.items():
        try:
            work()
        except Exception:
            # One app's trouble must not keep the others' work from being done.
            log.exception("%s was not done; the next tick tries again", name)


def do_watches() -> None:
    """What must be seen within a minute has been seen, and what follows from it is stored."""
    for see in WATCHES.values():
        see()


def follow_up() -> list[str]:
    """What time alone changes has changed (silent issuers are overdue, value dates have come);
    returns the alarms.
    """
    for name, follow in FOLLOW_UPS.items():
        try:
            log.info("%s: %s", name, follow())
        except Exception:
            log.exception("%s was not done; the next hour tries again", name)
    sounded = alarms(seconds=60)
    for alarm in sounded:
        log.error("%s", alarm)
    return sounded


def alarms(*, seconds: int) -> list[str]:
    """One sentence for each thing that needs a person now: work nobody attends to for `seconds`, a
    clockwork that is as silent, a stop that is overdue for ratification or review.
    """
    silent = [] if waking.was_seen(TICK, within_s=seconds) else [f"no tick for {seconds} s"]
    told = [alarm for find in ALARMS.values() for alarm in find()]
    return silent + waking.unattended(seconds) + told
