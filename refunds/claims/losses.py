"""The losses of a claim are named or dropped."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from django.db import DatabaseError, transaction

from refunds.models import FraudClaim, Issuer, Loss
from wallets.models import FundingCard, Payment, TopUp
from winddown import clock
from winddown.actors import Actor, require
from winddown.errors import GuardNotMet, says
from winddown.evidence import audit
from winddown.models import FundingSource
from winddown.sqlstates import SqlState, sqlstate_of

FUNDING_OF_KIND: Mapping[str, Loss.Funding] = {
    FundingSource.Kind.CREDIT_CARD: Loss.Funding.CREDIT,
    FundingSource.Kind.DEBIT_CARD: Loss.Funding.DEBIT,
    FundingSource.Kind.POINTS: Loss.Funding.POINTS,
}
# The states of a movement that happened and was not undone.
_DONE = {TopUp: TopUp.CHARGED, Payment: Payment.TAKEN}


def name_losses(
    losses: Sequence[tuple[FraudClaim, TopUp | Payment]], *, actor: Actor, reason: str
) -> list[Loss]:
    """The whole amount of each movement is a loss of its claim. Returns the losses that are new.

    A movement that is a loss already is left alone. Raises `GuardNotMet` for a movement that no
    thief can make (a bonus, cash, a charge that did not stay), for one of another wallet, for a
    card of an issuer that is not configured, or when the claim is proposed or decided.
    """
    require(actor, "refunds.work_claim", action="name losses")
    with transaction.atomic():
        at = clock.now()
        issuers = {issuer.code: issuer for issuer in Issuer.objects.all()}
        cards = FundingCard.objects.in_bulk(
            {movement.card_id for _, movement in losses if isinstance(movement, TopUp)} - {None}
        )
        kinds = dict(FundingSource.objects.values_list("code", "kind"))
        known = _already_lost(movement for _, movement in losses)
        fresh = []
        for claim, movement in losses:
            loss = _loss(
                claim, movement, issuers=issuers, cards=cards, kinds=kinds, actor=actor, at=at
            )
            earlier = known.get((type(movement), movement.pk))
            if earlier not in (None, claim.pk):
                raise GuardNotMet(
                    action=says("name {movement} a loss", movement=movement),
                    why=says("it is one of another claim"),
                )
            if earlier is None:
                fresh.append(loss)
        try:
            with transaction.atomic():
                made = Loss.objects.bulk_create(fresh)
        except DatabaseError as refusal:
            if sqlstate_of(refusal) == SqlState.LOSS_REFUSED:
                raise GuardNotMet(
                    action=says("name losses"), why=str(refusal.__cause__).splitlines()[0]
                ) from refusal
            raise
        if made:
            audit.append(
                "claims.name_losses",
                "claims",
                actor=actor,
                reason=reason,
                n=len(made),
                amount_minor=sum(loss.amount_minor for loss in made),
            )
        return made


def _already_lost(named: Iterable[TopUp | Payment]) -> dict[tuple[type, int], int]:
    """Returns the claim by movement, for those of `named` that are losses already."""
    top_ups: list[int] = []
    payments: list[int] = []
    for movement in named:
        (top_ups if isinstance(movement, TopUp) else payments).append(movement.pk)
    lost = Loss.objects.filter(dropped_at=None)
    charged = lost.filter(top_up__in=top_ups).values_list("top_up_id", "claim_id")
    spent = lost.filter(payment__in=payments).values_list("payment_id", "claim_id")
    return {(TopUp, pk): claim for pk, claim in charged if pk} | {
        (Payment, pk): claim for pk, claim in spent if pk
    }


def _loss(
    claim: FraudClaim,
    movement: TopUp | Payment,
    *,
    issuers: dict[str, Issuer],
    cards: dict[int, FundingCard],
    kinds: dict[str, str],
    actor: Actor,
    at: dt.datetime,
) -> Loss:
    if movement.wallet_id != claim.wallet_id or movement.state not in _DONE[type(movement)]:
        raise GuardNotMet(
            action=says("name {movement} a loss of {claim}", movement=movement, claim=claim),
            why=says("it is of another wallet or was never posted"),
        )
    loss = Loss(claim=claim, added_by_id=actor.pk, added_at=at, hit_at=movement.occurred_at)
    loss.amount_minor = movement.amount_minor
    if isinstance(movement, Payment):
        loss.payment, loss.funding = movement, Loss.Funding.OWN_BALANCE
        return loss
    funding = FUNDING_OF_KIND.get(kinds[movement.source])
    if funding is None:
        raise GuardNotMet(
            action=says("name {movement} a loss", movement=movement),
            why=says("it came from {source}", source=movement.source),
        )
    loss.top_up, loss.funding = movement, funding
    if movement.card_id is not None:
        code = cards[movement.card_id].issuer_code
        loss.issuer = issuers.get(code)
        if loss.issuer is None:
            raise GuardNotMet(
                action=says("name {movement} a loss", movement=movement),
                why=says("issuer {code} is not configured", code=code),
            )
    return loss


def drop_loss(loss: Loss, *, actor: Actor, reason: str) -> None:
    """The movement is not a loss. It may be named again, for this claim or another."""
    require(actor, "refunds.work_claim", action="drop a loss")
    with transaction.atomic():
        changed = Loss.objects.filter(
            pk=loss.pk,
            dropped_at=None,
            confirmed_at=None,
            claim__state__in=FraudClaim.UNDER_WORK,
        ).update(dropped_at=clock.now(), drop_reason=reason)
        if not changed:
            raise GuardNotMet(
                action=says("drop {loss}", loss=loss),
                why=says("it is dropped, proposed or confirmed"),
            )
        audit.append("claims.drop_loss", f"claim:{loss.claim_id}", actor=actor, reason=reason)
