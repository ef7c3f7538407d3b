"""Losses are made good from the operator's own funds: by payouts, by points, or in place of an
issuer."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import User
from refunds.models import Chargeback, Issuer, IssuerAction, Payee, Payout, Remedy
from refunds.remedies import routes, slots
from winddown import clock
from winddown.actors import Actor, require
from winddown.errors import GuardNotMet, says
from winddown.evidence import audit
from winddown.machines.move import move_rows


def compensations() -> QuerySet[Remedy]:
    """Returns the losses that the operator pays to the victim and has not paid yet. One that a
    chargeback was answered with is not paid again: the chargeback stands for it.
    """
    answered = Chargeback.objects.filter(credited_by=OuterRef("pk"), returned_at=None)
    return (
        Remedy.objects.filter(kind=Remedy.Kind.COMPENSATION_PAYOUT, state=Remedy.State.ASKED)
        .filter(~Exists(answered))
        .select_related("loss__claim__wallet")
    )


def waiting(holder: User | None = None) -> QuerySet[Remedy]:
    """Returns the compensations, of the holder or of all, of which no payout is in a file."""
    in_a_file = Payout.objects.filter(
        remedy=OuterRef("pk"), live=True, state__in=[*Payout.LEAVING, *Payout.ARRIVED]
    )
    found = compensations().filter(~Exists(in_a_file))
    return found if holder is None else found.filter(loss__claim__wallet__account=holder)


def without_account() -> QuerySet[Remedy]:
    """Returns those that no run pays, because their holder has no account, or the bank refused it."""
    usable = Payee.objects.filter(
        holder=OuterRef("loss__claim__wallet__account"), replaced_at=None
    ).exclude(state=Payee.State.REFUSED)
    return waiting().filter(~Exists(usable))


def recredit(*, actor: Actor, reason: str) -> int:
    """The points and the bonus value of every loss that waits for them are given back. Returns how
    many losses.

    Bonus value comes back as bonus: it is in the wallet again, or lapses at once where the wallet
    is closed, as the bonus that was left in it did (rule 34).

    Two people decided the loss itself. A second call finds none.
    """
    require(actor, "refunds.decide_claim", action="give points and bonus back")
    with transaction.atomic():
        waiting = list(
            Remedy.objects.filter(kind__in=Remedy.RECREDITS, state=Remedy.State.ASKED).values_list(
                "pk", flat=True
            )
        )
        done = slots.finish(waiting, at=clock.now(), actor=actor, reason=reason)
        if done:
            audit.append("remedies.recredit", "remedies", actor=actor, reason=reason, done=done)
        return done


def pay_instead(remedies: Sequence[Remedy], *, actor: Actor, reason: str) -> list[Remedy]:
    """Losses whose points, refund or reimbursement cannot be delivered take their next route.

    Raises `GuardNotMet` for a route that has no next one, or while the issuer's answer is awaited.
    """
    require(actor, "refunds.decide_claim", action="pay instead")
    with transaction.atomic():
        at = clock.now()
        issuers = Issuer.objects.filter(actions__remedy__in=[remedy.pk for remedy in remedies])
        list(
            Issuer.objects.select_for_update(no_key=True)
            .filter(pk__in=issuers.values("pk"))
            .order_by("pk")
        )
        actions = IssuerAction.objects.filter(remedy__in=[remedy.pk for remedy in remedies])
        if actions.filter(state__in=IssuerAction.AWAITED).exists():
            raise GuardNotMet(action=says("pay instead"), why=says("an issuer's answer is awaited"))
        opened: list[Remedy] = []
        for kind in sorted({remedy.kind for remedy in remedies}):
            following = routes.UNANSWERED.get(kind)
            if following is None:
                raise GuardNotMet(
                    action=says("pay instead"), why=says("{kind} has no next route", kind=kind)
                )
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
