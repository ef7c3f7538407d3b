"""Claims are reported, taken up, and asked about."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable

from django.db import transaction

from refunds.claims import appeals, holding, losses, makers, reports, telling
from refunds.claims.reports import NOTHING_SAID, Said
from refunds.models import FraudClaim, FraudReport
from wallets.models import Wallet
from winddown import clock
from winddown.actors import SYSTEM, Actor, require
from winddown.errors import GuardNotMet
from winddown.evidence import audit
from winddown.machines.move import move_rows


def report(
    wallet_ids: Collection[int],
    *,
    actor: Actor,
    reason: str,
    channel: str = FraudClaim.Channel.CUSTOMER,
    compromised_from: dt.datetime | None = None,
    said: Said = NOTHING_SAID,
) -> list[FraudClaim]:
    """Each of the wallets has an open claim, which keeps what was `said`. Returns the claims that are
    new (signal S12).

    What the thief may have left in the wallets is held at once, and the rest stays spendable. The
    movements that the holder disputes count as the thief's, and later payments that are not among
    them as the holder's, until an analyst says otherwise. A wallet with an open claim keeps that
    claim, so a second report of the same wallet adds none, but what it disputes. A report of a
    wallet whose claim was rejected and can still be appealed is the appeal. Raises what `believe`
    and `reports.keep` raise. A holder may report the own wallet. Anybody else needs
    `refunds.report_claim`.
    """
    fresh, _kept = _reported(
        wallet_ids,
        said,
        actor=actor,
        reason=reason,
        channel=channel,
        compromised_from=compromised_from,
    )
    return fresh


def _reported(
    wallet_ids: Collection[int],
    said: Said,
    *,
    actor: Actor,
    reason: str,
    channel: str,
    compromised_from: dt.datetime | None,
) -> tuple[list[FraudClaim], list[FraudReport]]:
    """As `report`. Returns the claims and the reports that are new."""
    wallets = Wallet.objects.in_bulk(wallet_ids)
    if actor is not SYSTEM and any(wallet.account_id != actor.pk for wallet in wallets.values()):
        require(actor, "refunds.report_claim", action="report a claim")
    with transaction.atomic():
        # Of two reports at once, the second finds the claim of the first.
        locked = Wallet.objects.filter(pk__in=wallets).order_by("pk")
        list(locked.select_for_update(no_key=True).values_list("pk"))
        at = clock.now()
        rejected = FraudClaim.objects.filter(
            state=FraudClaim.State.REJECTED,
            wallet__in=wallets,
            appeal_until__gt=at,
            appealed_at=None,
        ).exclude(wallet__claims__state__in=FraudClaim.OPEN)
        for claim in rejected.order_by("pk").select_related("wallet"):
            appeals.appeal(claim, actor=actor, reason=reason)
        claimed = {
            claim.wallet_id: claim
            for claim in FraudClaim.objects.filter(
                state__in=FraudClaim.OPEN, wallet__in=wallet_ids
            ).order_by("pk")
        }
        fresh = FraudClaim.objects.bulk_create(
            FraudClaim(
                wallet_id=wallet_id,
                state=FraudClaim.State.REPORTED,
                channel=channel,
                opened_at=at,
                compromised_from=compromised_from,
                evidence=[{"kind": "report", "by": actor.pk, "at": at.isoformat()}],
            )
            for wallet_id in sorted(set(wallets) - set(claimed))
        )
        claims = claimed | {claim.wallet_id: claim for claim in fresh}
        kept = reports.keep(claims, said, channel=channel, actor=actor)
        if fresh or kept:
            audit.append(
                "claims.report",
                "claims",
                actor=actor,
                reason=reason,
                n=len(fresh),
                reports=len(kept),
                channel=channel,
            )
        if kept:
            believe(said, actor=actor, reason=reason)
        holding.follow(list(wallets), begin=True)
        return fresh, kept


def believe(said: Said, *, actor: Actor, reason: str) -> None:
    """The movements that the holder disputes count as the thief's, where a claim under work can take
    them. Raises `GuardNotMet` for one that no thief can have made.

    A claim that waits for its decision keeps what was signed; the report stands beside it. Staff
    hear of a movement that cannot be disputed. The holder is not refused for it: an analyst reads it.
    """
    takes = set(
        FraudClaim.objects.filter(
            wallet__in=[each.wallet_id for each in said.movements],
            state__in=FraudClaim.UNDER_WORK,
        ).values_list("wallet_id", flat=True)
    )
    disputed = [each for each in said.movements if each.wallet_id in takes]
    if not disputed:
        return
    try:
        with transaction.atomic():
            losses.take_word(disputed, actor=actor, reason=reason)
    except GuardNotMet:
        if actor.staff_number:
            raise


def take(
    wallet: Wallet,
    said: Said,
    *,
    actor: Actor,
    reason: str,
    channel: str,
    compromised_from: dt.datetime | None = None,
) -> FraudClaim:
    """The open claim of the wallet keeps what one person said, and the holder hears of it with the
    reference. The same report is kept, and told, once.

    Returns the claim. Raises what `report` raises.
    """
    with transaction.atomic():
        _fresh, kept = _reported(
            [wallet.pk],
            said,
            actor=actor,
            reason=reason,
            channel=channel,
            compromised_from=compromised_from,
        )
        claim = FraudClaim.objects.filter(wallet=wallet, state__in=FraudClaim.OPEN).earliest("pk")
        for each in kept:
            telling.reported(each)
        return claim


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
