"""The tick: whatever is owed by now is done or awake. Doubled, late or missed, it changes nothing
but the time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.conf import settings

from winddown.evidence import audit
from winddown.programme import capabilities, milestones
from winddown.runs import waking

log = logging.getLogger(__name__)

# The clockwork signs its ticks under this name among the workers.
TICK = "tick"

# What time alone changes, by name: each app adds its own, and each must be harmless to repeat.
FOLLOW_UPS: dict[str, Callable[[], object]] = {}
FOLLOW_UPS["head of the audit chain"] = lambda: audit.keep_head(settings.AUDIT_HEADS_DIR)
# What is owed at once and must not wait for a lost wake-up, by name: each app adds its own, each is
# short and harmless to repeat.
OWED: dict[str, Callable[[], object]] = {}
# What is looked at every minute, by name: cheap when nothing is new, harmless to repeat.
WATCHES: dict[str, Callable[[], object]] = {}


def tick() -> None:
    """Due milestones have fired, what is owed is awake, new movements are sealed into the audit
    journal, and the incident page sees that it came.
    """
    milestones.fire_due()
    for run_id in waking.owed():
        waking.wake(run_id)
    for name, work in OWED.items():
        try:
            work()
        except Exception:
            # One app's trouble must not keep the others' work from being done.
            log.exception("%s was not done; the next tick tries again", name)
    audit.seal()
    waking.note_seen(TICK)


def watch() -> None:
    """Whatever must be seen within a minute was looked at."""
    for look in WATCHES.values():
        look()


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
    return silent + waking.unattended(seconds) + capabilities.overdue()
