"""Verification runs by itself: in part every hour and after each run, whole every night.

A breach about money, victims, approvals or evidence stops payouts, and every breach is an alarm
until it is gone.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import transaction

from winddown import clock, locks
from winddown.actors import SYSTEM, Actor
from winddown.evidence import audit, invariants
from winddown.evidence.invariants import Invariant
from winddown.locks import Lock
from winddown.models import AuditEntry, Capability, Programme, Run
from winddown.programme import capabilities

SUBJECT = "invariants"
WHOLE = "invariants.verify"
IN_PART = "invariants.verify_part"
PART_EVERY = dt.timedelta(hours=1)
WHOLE_FROM_HOUR = 3


@dataclass(frozen=True, slots=True)
class Verification:
    """When the invariants were last checked, and which did not hold."""

    at: dt.datetime
    checked: int
    breached: dict[str, list[str]]


def last() -> Verification | None:
    """Returns the newest verification; None if there was none."""
    entry = _newest(WHOLE, IN_PART)
    return None if entry is None else _verification(entry)


def _verification(entry: AuditEntry) -> Verification:
    return Verification(
        at=entry.at, checked=entry.facts["checked"], breached=entry.facts["breached"]
    )


def _newest(*actions: str) -> AuditEntry | None:
    return AuditEntry.objects.filter(subject=SUBJECT, action__in=actions).order_by("-seq").first()


def verify(*, actor: Actor = SYSTEM, whole: bool = True) -> Verification:
    """The invariants were checked now, and the result stands in the audit journal; in part, those
    that guard the release of money.

    What a whole verification found stays breached until the next whole one. Payouts are stopped if
    a breach stops them.
    """
    asked = [each for each in invariants.known() if whole or each.guards_release]
    before = last()
    codes = {each.code for each in asked}
    kept = {} if before is None else before.breached
    # What changed while a check read it is not broken when the check reads it again.
    found = {each.code: each.breaches() and each.breaches() for each in asked}
    breached = {code: told for code, told in kept.items() if code not in codes} | {
        code: told for code, told in found.items() if told
    }
    with transaction.atomic():
        _stop_payouts([each for each in asked if each.stops_payouts and found[each.code]])
        seq = audit.append(
            WHOLE if whole else IN_PART,
            SUBJECT,
            actor=actor,
            checked=len(asked),
            breached=breached,
        )
    return _verification(AuditEntry.objects.get(seq=seq))


def _stop_payouts(breached: list[Invariant]) -> None:
    if breached and Capability.objects.filter(code="payout").exists():
        codes = ", ".join(each.code for each in breached)
        capabilities.stop("payout", actor=SYSTEM, reason=f"breached invariants: {codes}")


def verify_due() -> Verification | None:
    """What is due by now was verified: whole from three in the night on, in part after an hour or
    once a run ended. Returns None when nothing was due, or while somebody else verifies.
    """
    with transaction.atomic():
        if not locks.try_take(Lock.VERIFICATION):
            return None
        programme = Programme.objects.filter(pk=1).first()
        if programme is None:
            return None
        at = clock.now()
        earlier, whole = last(), _newest(WHOLE)
        if earlier is None or whole is None or whole.at < _night(at, programme):
            return verify()
        if earlier.at <= at - PART_EVERY or Run.objects.filter(ended_at__gt=earlier.at).exists():
            return verify(whole=False)
        return None


def _night(at: dt.datetime, programme: Programme) -> dt.datetime:
    """Returns when the last night's verification was due, on the programme's clock."""
    local = at.astimezone(programme.zone)
    night = local.replace(hour=WHOLE_FROM_HOUR, minute=0, second=0, microsecond=0)
    return night if night <= local else night - dt.timedelta(days=1)


def alarms() -> list[str]:
    """Returns one sentence per invariant that did not hold when last checked."""
    verification = last()
    if verification is None:
        return []
    return [
        f"invariant {code} is breached: {sentences[0]}"
        for code, sentences in verification.breached.items()
    ]
