"""Alarms are raised when their condition begins, escalated without an answer, and closed when it
ends.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import translation

from winddown import alarm_kinds, clock, locks
from winddown.actors import SYSTEM, Actor
from winddown.alarm_kinds import KINDS, AlarmCondition, Found, Severity
from winddown.alarms import duty_addresses, notices
from winddown.evidence import audit
from winddown.locks import Lock
from winddown.machines.move import transition_one
from winddown.models import Alarm

ESCALATE_AFTER = {
    Severity.GRAVE: dt.timedelta(minutes=30),
    Severity.WARNING: dt.timedelta(hours=8),
}


def watch() -> None:
    """What needs a person now is raised and told. Every process may do this, also several at once."""
    sound(alarm_kinds.find())
    notices.send_due()


def sound(found: Found) -> None:
    """Each condition is an alarm, and an alarm whose condition ended is closed. The people on duty
    have a notice that is due.

    While a finder fails, no alarm is closed. A second process changes nothing meanwhile.
    """
    with transaction.atomic():
        if not locks.try_take(Lock.ALARMS):
            return
        at = clock.now()
        holding = {(each.kind, each.subject): each for each in found.conditions}
        standing = {(each.code, each.subject): each for each in _locked()}
        for key, condition in holding.items():
            if key not in standing:
                standing[key] = _raise(condition, at)
        if found.whole:
            for key in standing.keys() - holding.keys():
                _close(standing.pop(key), at)
        duty_addresses.forget_ended(at)
        reached = duty_addresses.in_force()
        for alarm in standing.values():
            if alarm.state == Alarm.State.RAISED and _is_unheard(alarm, at, reached.keys()):
                _escalate(alarm, at)
        notices.queue(at, reached)


def acknowledge(alarm: Alarm, *, actor: Actor, reason: str) -> Alarm:
    """The person looks after the alarm, and nobody is told again. The alarm stands until its
    condition ends. Raises `TransitionRefused` for one that is acknowledged or closed.
    """
    with transaction.atomic():
        answered = transition_one(
            alarm,
            "acknowledge",
            actor=actor,
            reason=reason,
            acknowledged_at=clock.now(),
            acknowledged_by=actor,
            answer=reason,
        )
        # An address that was replaced is told all the same: whoever replaced it may acknowledge at
        # once.
        notices.give_up(answered, address__ended_at=None)
        audit.append("alarm.acknowledge", f"alarm:{alarm.pk}", actor=actor, reason=reason)
        return answered


def _raise(condition: AlarmCondition, at: dt.datetime) -> Alarm:
    kind = KINDS[condition.kind]
    alarm = Alarm.objects.create(
        code=condition.kind,
        subject=condition.subject,
        severity=kind.severity,
        role=kind.role,
        sentences=_in_every_language(condition),
        url=condition.url,
        raised_at=at,
    )
    audit.append(
        "alarm.raise", f"alarm:{alarm.pk}", actor=SYSTEM, kind=alarm.code, about=alarm.subject
    )
    return alarm


def _locked() -> QuerySet[Alarm]:
    """Returns the standing alarms. Whoever acknowledges one waits, and then gives up what was
    queued meanwhile.
    """
    standing = Alarm.objects.filter(state__in=Alarm.STANDING)
    return standing.select_for_update(no_key=True).order_by("pk")


def _in_every_language(condition: AlarmCondition) -> dict[str, str]:
    said = {}
    for code, _ in settings.LANGUAGES:
        with translation.override(code):
            said[code] = condition.sentence
    return said


def _is_unheard(alarm: Alarm, at: dt.datetime, reached: Collection[str]) -> bool:
    """Returns whether nobody answered in time, or nobody of the role can be reached at all."""
    late = at - alarm.raised_at >= ESCALATE_AFTER[Severity(alarm.severity)]
    return late or alarm.role not in reached


def _escalate(alarm: Alarm, at: dt.datetime) -> None:
    transition_one(alarm, "escalate", actor=SYSTEM, escalated_at=at)
    to = notices.next_role(alarm.role)
    audit.append("alarm.escalate", f"alarm:{alarm.pk}", actor=SYSTEM, to=to)


def _close(alarm: Alarm, at: dt.datetime) -> None:
    transition_one(alarm, "close", actor=SYSTEM, closed_at=at)
    notices.give_up(alarm)
    audit.append("alarm.close", f"alarm:{alarm.pk}", actor=SYSTEM)
