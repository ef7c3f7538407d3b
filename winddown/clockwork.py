"""The tick: whatever is owed by now is done or awake. Doubled, late or missed, it changes nothing but the time."""

from __future__ import annotations

from winddown import audit, milestones, runner


def tick() -> None:
    """Due milestones have fired, what is owed is awake, and new movements are sealed into the audit journal."""
    milestones.fire_due()
    for run_id in runner.owed():
        runner.wake(run_id)
    audit.seal()
