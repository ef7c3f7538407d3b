"""Inbound chargebacks are registered and matched to the charge. None is accepted for a charge that
was made good already."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from refunds.models import Chargeback, Issuer, IssuerAction, Remedy
from wallets.models import TopUp
from winddown import clock
from winddown.actors import SYSTEM, Actor, require
from winddown.evidence import audit
from winddown.machines.move import transition_one


def register(
    issuer: Issuer,
    *,
    chargeback_ref: str,
    scheme: str,
    scheme_reason: str,
    amount_minor: int,
    due_at: dt.datetime,
    arn: str = "",
    rrn: str = "",
    actor: Actor,
    reason: str,
) -> Chargeback:
    """The chargeback is received and matched by ARN, or by RRN and amount. A second notification
    returns the first.

    A chargeback for a charge that a remedy has made good is set to represent at once, with the
    reference of that credit (rule 21); every other waits for an analyst. `due_at` is what the
    scheme's notification says.
    """
    require(actor, "refunds.draft_issuer_action", by_system=True, action="register a chargeback")
    with transaction.atomic():
        at = clock.now()
        case, fresh = Chargeback.objects.get_or_create(
            chargeback_ref=chargeback_ref,
            defaults={
                "issuer": issuer,
                "scheme": scheme,
                "scheme_reason": scheme_reason,
                "arn": arn,
                "rrn": rrn,
                "amount_minor": amount_minor,
                "notified_at": at,
                "due_at": due_at,
                "top_up": _charge(issuer, arn=arn, rrn=rrn, amount_minor=amount_minor),
            },
        )
        if fresh:
            case = transition_one(case, "receive", actor=actor, reason=reason)
            case = _represented_if_credited(case)
            audit.append("chargebacks.register", case.subject, actor=actor, reason=reason)
        return case


def _represented_if_credited(case: Chargeback) -> Chargeback:
    """The chargeback is set to represent if a remedy has made its charge good."""
    credit = _credit(case)
    if credit is None:
        return case
    return transition_one(
        case,
        "propose_representment",
        actor=SYSTEM,
        reason="credit already processed",
        credited_by=credit,
        refund_arn=_reference(credit),
    )


def _charge(issuer: Issuer, *, arn: str, rrn: str, amount_minor: int) -> TopUp | None:
    """Returns the one card top-up that fits the chargeback. It is None if none or more than one
    fits.
    """
    charges = TopUp.objects.filter(card__issuer_code=issuer.code, amount_minor=amount_minor)
    for named in ({"arn": arn} if arn else None, {"rrn": rrn} if rrn else None):
        if named:
            found = list(charges.filter(**named)[:2])
            if len(found) == 1:
                return found[0]
    return None


def _credit(case: Chargeback) -> Remedy | None:
    return (
        Remedy.objects.filter(loss__top_up=case.top_up_id, state__in=Remedy.DONE)
        .exclude(kind=Remedy.Kind.CHARGEBACK_ACCEPTED)
        .first()
        if case.top_up_id
        else None
    )


def _reference(credit: Remedy) -> str:
    action = IssuerAction.objects.filter(remedy=credit).first()
    return action.refund_arn if action else ""
