"""The tick: whatever is owed by now is done or awake. Doubled, late or missed, it changes nothing
but the time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from winddown import audit, capabilities, milestones, runner

log = logging.getLogger(__name__)

# What time alone changes, by name: each app adds its own, and each must be harmless to repeat.
FOLLOW_UPS: dict[str, Callable[[], object]] = {}


def tick() -> None:
    """Due milestones have fired, what is owed is awake, and new movements are sealed into the audit
    journal.
    """
    milestones.fire_due()
    for run_id in runner.owed():
        runner.wake(run_id)
    audit.seal()


def follow_up() -> list[str]:
    """What time alone changes has changed (silent issuers are overdue, value dates have come);
    returns the alarms.
    """
    for name, follow in FOLLOW_UPS.items():
        log.info("%s: %s", name, follow())
    alarms = runner.unattended() + capabilities.overdue()
    for alarm in alarms:
        log.error("%s", alarm)
    return alarms
