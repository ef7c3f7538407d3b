"""The tick: starts or wakes all due work. A doubled, late or missed tick changes only when work is
done.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.conf import settings
from django.utils import translation

from winddown import alarm_kinds
from winddown.evidence import audit
from winddown.registries import Registry
from winddown.runs import clocks, waking

log = logging.getLogger(__name__)

# The name of the clockwork in the list of workers.
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

FOLLOW_UPS.add("head of the audit chain", lambda: audit.keep_head(settings.AUDIT_HEADS_DIR))


def tick() -> None:
    """Due milestones have fired, other due work is done, runs are awake, new movements are sealed
    into the audit journal, and the time of the tick is stored for the incident page.
    """
    _do_owed()
    for run_id in waking.owed():
        waking.wake(run_id)
    audit.seal()
    waking.note_seen(TICK)
    clocks.note_clock()


def fell_due() -> bool:
    """Returns whether no tick was done during the last half second. Of ticks that piled up while no
    worker was there, the first does the work.
    """
    return not waking.was_seen(TICK, within_s=0.5)


def _do_owed() -> None:
    for name, work in OWED.items():
        try:
            work()
        except Exception:
            # An error in one app must not stop the work of the others.
            log.exception("%s was not done; the next tick tries again", name)


def do_watches() -> None:
    """Every watch has run and has stored its findings. Watches run once a minute. A watch that
    fails hides no other.
    """
    for name, see in WATCHES.items():
        try:
            see()
        except Exception:
            log.exception("%s was not watched; the next minute tries again", name)


def do_follow_ups() -> None:
    """Changes that depend only on time are made (late issuers are overdue, value dates are
    reached).
    """
    for name, follow in FOLLOW_UPS.items():
        try:
            log.info("%s: %s", name, follow())
        except Exception:
            log.exception("%s was not done; the next hour tries again", name)


def follow_up() -> None:
    """The follow-ups are done, and each alarm is in the log."""
    do_follow_ups()
    with translation.override("en"):
        for condition in alarm_kinds.find().conditions:
            log.error("%s", condition.sentence)
