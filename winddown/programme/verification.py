"""Verification runs by itself: in part every hour and after each run, whole every night.

A breach about money, victims, approvals or evidence stops payouts, and every breach is an alarm
until it is gone.
"""

from __future__ import annotations

import datetime as dt
import hmac
import json
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from winddown import clock, encryption, locks
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
# Behind so many forged entries the service verifies anew.
ENTRIES_READ_MAX = 100
# Between the instant that is signed and the entry's own, which follows at once.
WRITTEN_WITHIN = dt.timedelta(minutes=5)
_SIGNED = "verification"


@dataclass(frozen=True, slots=True)
class Verification:
    """When the invariants were last checked, and which did not hold."""

    at: dt.datetime
    checked: int
    breached: dict[str, list[str]]


def last() -> Verification | None:
    """Returns the newest verification; None if there was none."""
    return _newest(WHOLE, IN_PART)


def _newest(*actions: str) -> Verification | None:
    """Returns the newest verification that the service itself made.

    An entry without the right HMAC is ignored. Whoever only has the database's password can write
    entries, and without the key can neither put off a verification nor hide a breach.
    """
    entries = AuditEntry.objects.filter(subject=SUBJECT, action__in=actions).order_by("-seq")
    proven = [found for entry in entries[:ENTRIES_READ_MAX] if (found := _proven(entry))]
    return max(proven, key=lambda each: each.at, default=None)


def _proven(entry: AuditEntry) -> Verification | None:
    """Returns what the entry says, if its HMAC is right and of the entry's own time.

    The guard of the journal sets the time of an entry, so a copy of an old one is refused.
    """
    if not isinstance(entry.facts, dict):
        return None
    given = str(entry.facts.get("hmac"))
    known = encryption.fingerprints(_signed_text(entry.action, entry.facts), of=_SIGNED)
    if not any(hmac.compare_digest(each.encode(), given.encode()) for each in known):
        return None
    at = dt.datetime.fromisoformat(entry.facts["at"])
    if entry.at - at > WRITTEN_WITHIN:
        return None
    return Verification(at, entry.facts["checked"], entry.facts["breached"])


def _signed_text(action: str, facts: dict[str, Any]) -> str:
    told = [action, *(facts.get(name) for name in ("at", "checked", "breached"))]
    return json.dumps(told, sort_keys=True)


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
        action, at = WHOLE if whole else IN_PART, clock.now()
        facts: dict[str, Any] = {"at": at.isoformat(), "checked": len(asked), "breached": breached}
        signed = encryption.fingerprint(_signed_text(action, facts), of=_SIGNED)
        audit.append(action, SUBJECT, actor=actor, **facts, hmac=signed)
    return Verification(at=at, checked=len(asked), breached=breached)


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
