"""Notes of the claims desk: whose work a claim is, until when, and what was seen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from accounts.models import User
from refunds.claims import links, reports
from refunds.models import ClaimNote, FraudClaim
from winddown import clock
from winddown.actors import Actor, require
from winddown.errors import GuardNotMet, says
from winddown.evidence import audit

WORK = "refunds.work_claim"
Kind = ClaimNote.Kind


@dataclass(frozen=True, slots=True)
class Standing:
    """What the newest notes of a claim say."""

    person: User | None = None
    due_at: dt.datetime | None = None
    snoozed_until: dt.datetime | None = None
    is_escalated: bool = False


def assign(claims: Iterable[FraudClaim], person: User, *, actor: Actor, reason: str) -> int:
    """The open claims are the work of `person`. Returns how many were not before.

    Raises `GuardNotMet` for a person who may not work on claims.
    """
    require(actor, WORK, action="assign claims")
    if not person.is_active or not person.has_perm(WORK):
        raise GuardNotMet(
            action=says("assign claims"), why=says("this person may not work on claims")
        )
    return _note(claims, Kind.ASSIGNED, actor=actor, reason=reason, person_id=person.pk)


def set_due(claims: Iterable[FraudClaim], at: dt.datetime, *, actor: Actor, reason: str) -> int:
    """The open claims are due at the instant. Returns how many were not before."""
    return _note(claims, Kind.DUE, actor=actor, reason=reason, until=at)


def snooze(claims: Iterable[FraudClaim], until: dt.datetime, *, actor: Actor, reason: str) -> int:
    """The open claims are out of the queue of what waits until the instant. Returns how many.

    Raises `GuardNotMet` for an instant that is over, or one after the claim is due.
    """
    require(actor, WORK, action="put claims off")
    chosen = list(claims)
    action = says("put claims off")
    if until <= clock.now():
        raise GuardNotMet(action=action, why=says("the time is over already"))
    due = {each.pk: standing(each).due_at for each in chosen}
    if late := [number for number, at in due.items() if at is not None and at < until]:
        raise GuardNotMet(action=action, why=says("claim {claim} is due before", claim=late[0]))
    return _note(chosen, Kind.SNOOZED, actor=actor, reason=reason, until=until)


def escalate(claims: Iterable[FraudClaim], *, actor: Actor, reason: str) -> int:
    """A supervisor looks after the open claims: they stand first in the queue. Returns how many are
    new there.
    """
    return _note(claims, Kind.ESCALATED, actor=actor, reason=reason)


def note(claim: FraudClaim, *, actor: Actor, reason: str) -> None:
    """The claim keeps the note. Raises `CardNumberSaid` for one with a card number."""
    _note([claim], Kind.NOTE, actor=actor, reason=reason)


def see_link(claim: FraudClaim, other: FraudClaim, *, actor: Actor, reason: str) -> None:
    """Somebody looked at the two linked claims together, and says what the link means.

    Raises `GuardNotMet` for claims that are not linked. A second call adds nothing.
    """
    require(actor, WORK, action="look at linked claims")
    if other.pk not in {each.other.pk for each in links.of(claim)}:
        raise GuardNotMet(
            action=says("look at linked claims"), why=says("these two claims are not linked")
        )
    for one, its_other in ((claim, other), (other, claim)):
        _note([one], Kind.LINK_SEEN, actor=actor, reason=reason, other_id=its_other.pk)


def standing(claim: FraudClaim) -> Standing:
    """Returns what the newest notes of the claim say now."""
    newest: dict[str, ClaimNote] = {}
    for each in ClaimNote.objects.filter(claim=claim).select_related("person").order_by("pk"):
        newest[each.kind] = each
    assigned, due, snoozed = (newest.get(k) for k in (Kind.ASSIGNED, Kind.DUE, Kind.SNOOZED))
    at = clock.now()
    until = snoozed.until if snoozed is not None else None
    return Standing(
        person=assigned.person if assigned is not None else None,
        due_at=due.until if due is not None else None,
        snoozed_until=until if until is not None and until > at else None,
        is_escalated=Kind.ESCALATED in newest,
    )


def _note(
    claims: Iterable[FraudClaim],
    kind: Kind,
    *,
    actor: Actor,
    reason: str,
    person_id: int | None = None,
    until: dt.datetime | None = None,
    other_id: int | None = None,
) -> int:
    """Each of the claims has the note, unless its newest of the kind says the same. Returns how many
    have it now.
    """
    require(actor, WORK, action=f"note {kind} of claims")
    reports.refuse_card_numbers(reason)
    said = {"person_id": person_id, "until": until, "other_id": other_id}
    with transaction.atomic():
        ids = list(
            FraudClaim.objects.filter(pk__in=[claim.pk for claim in claims])
            .order_by("pk")
            .select_for_update(no_key=True)
            .values_list("pk", flat=True)
        )
        newest = {
            each.claim_id: each
            for each in ClaimNote.objects.filter(
                claim__in=ids,
                kind=kind,
                **({"other_id": other_id} if other_id is not None else {}),
            ).order_by("pk")
        }
        same = {
            number
            for number, each in newest.items()
            if all(getattr(each, name) == value for name, value in said.items())
            and (kind != Kind.NOTE or each.text == reason)
        }
        fresh = [number for number in ids if number not in same]
        ClaimNote.objects.bulk_create(
            ClaimNote(
                claim_id=number,
                kind=kind,
                text=reason,
                noted_at=clock.now(),
                noted_by_id=actor.pk,
                **said,
            )
            for number in fresh
        )
        if fresh:
            subject = f"claim:{fresh[0]}" if len(fresh) == 1 else "claims"
            audit.append(f"claims.{kind}", subject, actor=actor, reason=reason, n=len(fresh))
        return len(fresh)
