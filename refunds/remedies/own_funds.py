"""Losses made good from own funds: compensation payouts, points, and payment instead of an issuer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from refunds.models import IssuerAction, Remedy
from refunds.remedies import routes, slots
from winddown import clock
from winddown.actors import require
from winddown.errors import GuardNotMet
from winddown.evidence import audit
from winddown.machines.move import move_rows


def compensations() -> QuerySet[Remedy]:
    """The losses that the operator itself pays to the victim, still to be paid out."""
    return Remedy.objects.filter(
        kind=Remedy.Kind.COMPENSATION_PAYOUT, state=Remedy.State.ASKED
    ).select_related("loss__claim__wallet")


def recredit_points(*, actor: Any, reason: str) -> int:
    """Every points loss that waits for it has its points back at their issuer; returns how many.

    The loss itself was decided by two people. A second call finds none.
    """
    require(actor, "refunds.decide_claim", action="give points back")
    with transaction.atomic():
        waiting = list(
            Remedy.objects.filter(
                kind=Remedy.Kind.POINTS_RECREDIT, state=Remedy.State.ASKED
            ).values_list("pk", flat=True)
        )
        done = slots.finish(waiting, at=clock.now(), actor=actor, reason=reason)
        if done:
            audit.append(
                "remedies.recredit_points", "remedies", actor=actor, reason=reason, done=done
            )
        return done


def pay_instead(remedies: Sequence[Remedy], *, actor: Any, reason: str) -> list[Remedy]:
    """Losses whose points, refund or reimbursement cannot be delivered take their next road.

    Raises `GuardNotMet` for a road that has no next one, or while the issuer's answer is still
    awaited.
    """
    require(actor, "refunds.decide_claim", action="pay instead")
    with transaction.atomic():
        at = clock.now()
        actions = IssuerAction.objects.filter(remedy__in=[remedy.pk for remedy in remedies])
        if actions.filter(state__in=["sent", "acknowledged"]).exists():
            raise GuardNotMet(action="pay instead", why="an issuer's answer is awaited")
        opened: list[Remedy] = []
        for kind in sorted({remedy.kind for remedy in remedies}):
            following = routes.UNANSWERED.get(kind)
            if following is None:
                raise GuardNotMet(action="pay instead", why=f"{kind} has no next road")
            opened += slots.fall_back(
                [remedy for remedy in remedies if remedy.kind == kind],
                following,
                failure=Remedy.Failure.UNDELIVERABLE,
                at=at,
                actor=actor,
            )
        ids = list(actions.values_list("pk", flat=True))
        move_rows(IssuerAction, "close", ids, actor=actor, reason=reason)
        audit.append("remedies.pay_instead", "remedies", actor=actor, reason=reason, n=len(opened))
        return opened
