"""Claims are reported, taken up, and asked about."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence

from django.db import transaction

from refunds.claims import appeals, holding, losses, makers
from refunds.models import FraudClaim
from wallets.models import Payment, TopUp, Wallet
from winddown import clock
from winddown.actors import SYSTEM, Actor, require
from winddown.evidence import audit
from winddown.machines.move import move_rows


def report(
    wallet_ids: Collection[int],
    *,
    actor: Actor,
    reason: str,
    channel: str = FraudClaim.Channel.CUSTOMER,
    compromised_from: dt.datetime | None = None,
    disputed: Sequence[TopUp | Payment] = (),
) -> list[FraudClaim]:
    """Each of the wallets has an open claim. Returns the claims that are new (signal S12).

    What the thief may have left in the wallets is held at once, and the rest stays spendable. The
    movements that the holder disputes count as the thief's, and later payments that are not among
    them as the holder's, until an analyst says otherwise. A wallet with an open claim keeps that
    claim, so a second report of the same wallet adds none, but what it disputes. A report of a
    wallet whose claim was rejected and can still be appealed is the appeal. Raises `GuardNotMet` for
    a movement that no thief can have made, or of a claim that waits for its decision. A holder may
    report the own wallet. Anybody else needs `refunds.report_claim`.
    """
    wallets = Wallet.objects.in_bulk(wallet_ids)
    if actor is not SYSTEM and any(wallet.account_id != actor.pk for wallet in wallets.values()):
        require(actor, "refunds.report_claim", action="report a claim")
    with transaction.atomic():
        at = clock.now()
        rejected = FraudClaim.objects.filter(
            state=FraudClaim.State.REJECTED,
            wallet__in=wallets,
            appeal_until__gt=at,
            appealed_at=None,
        ).exclude(wallet__claims__state__in=FraudClaim.OPEN)
        for claim in rejected.order_by("pk").select_related("wallet"):
            appeals.appeal(claim, actor=actor, reason=reason)
        claimed = set(
            FraudClaim.objects.filter(state__in=FraudClaim.OPEN, wallet__in=wallet_ids).values_list(
                "wallet_id", flat=True
            )
        )
        fresh = FraudClaim.objects.bulk_create(
            FraudClaim(
                wallet_id=wallet_id,
                state=FraudClaim.State.REPORTED,
                channel=channel,
                opened_at=at,
                compromised_from=compromised_from,
                evidence=[{"kind": "report", "by": actor.pk, "at": at.isoformat()}],
            )
            for wallet_id in sorted(set(wallets) - claimed)
        )
        if fresh:
            audit.append(
                "claims.report", "claims", actor=actor, reason=reason, n=len(fresh), channel=channel
            )
        if disputed:
            losses.take_word(disputed, actor=actor, reason=reason)
        holding.follow(list(wallets), begin=True)
        return fresh


def take_up(claims: Iterable[FraudClaim], *, actor: Actor, reason: str) -> int:
    """The claims are under investigation by `actor`. Returns how many of them were not before.

    Claims in other states are left alone. Raises `SamePerson` for an appeal of a claim that `actor`
    worked on or decided before it.
    """
    require(actor, "refunds.work_claim", action="take claims up")
    with transaction.atomic():
        ids = [claim.pk for claim in claims]
        makers.refuse_earlier(ids, actor=actor)
        move_rows(FraudClaim, "take_up", ids, actor=actor, reason=reason)
        moved = move_rows(
            FraudClaim, "investigate", ids, actor=actor, reason=reason, analyst=actor.pk
        )
        if moved:
            audit.append("claims.take_up", "claims", actor=actor, reason=reason, n=moved)
        return moved


def move(claims: Iterable[FraudClaim], name: str, *, actor: Actor, reason: str) -> int:
    """The claims that may make the declared transition `name` have made it. Returns how many."""
    edge = next(edge for edge in FraudClaim.edges() if edge.name == name)
    require(actor, edge.permission, by_system=edge.by_system, action=f"{name} claims")
    with transaction.atomic():
        ids = [claim.pk for claim in claims]
        makers.refuse_earlier(ids, actor=actor)
        moved = move_rows(FraudClaim, name, ids, actor=actor, reason=reason)
        if moved:
            audit.append(f"claims.{name}", "claims", actor=actor, reason=reason, n=moved)
        return moved


def expire(claims: Iterable[FraudClaim], *, actor: Actor, reason: str) -> tuple[int, int]:
    """A supervisor dropped the suspicions, and the value that was held for them can be spent again.

    Returns how many claims moved and how many holds ended. Raises what `release` raises.
    """
    with transaction.atomic():
        claims = list(claims)
        moved = move(claims, "expire", actor=actor, reason=reason)
        return moved, holding.release(claims, actor=actor, reason=reason)
