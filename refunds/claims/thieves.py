"""Wallets that a stolen card charged, whose holder is the thief: held, told nothing, never paid."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db import transaction

from refunds.claims import reports
from refunds.claims.reports import Said
from refunds.models import FraudClaim, FraudReport
from wallets.models import TopUp, Wallet
from winddown import clock
from winddown.actors import SYSTEM, Actor, require
from winddown.errors import GuardNotMet, Saying, says
from winddown.evidence import audit
from winddown.machines.move import move_rows


def report_card(
    charge: TopUp, said: Said, *, actor: Actor, reason: str, channel: str
) -> FraudClaim:
    """The wallet that the stolen card charged has a claim, which keeps what the cardholder said, and
    nothing moves in it at once.

    The cardholder needs no wallet. Returns the claim. A second call keeps the claim and holds
    nothing. Raises `GuardNotMet` for a charge without a card, and `CardNumberSaid`.
    """
    require(actor, "refunds.report_claim", action="report a stolen card")
    if charge.card_id is None or charge.state not in TopUp.CHARGED:
        raise GuardNotMet(
            action=says("report a stolen card"), why=says("the charge did not stay, or had no card")
        )
    with transaction.atomic():
        wallet = Wallet.objects.select_for_update(no_key=True).get(pk=charge.wallet_id)
        at = clock.now()
        claim = FraudClaim.objects.filter(wallet=wallet, state__in=FraudClaim.OPEN).first()
        if claim is None:
            claim = FraudClaim.objects.create(
                wallet=wallet,
                state=FraudClaim.State.REPORTED,
                channel=channel,
                opened_at=at,
                compromised_from=charge.occurred_at,
                evidence=[{"kind": "report", "by": actor.pk, "at": at.isoformat()}],
            )
        kept = reports.keep(
            {wallet.pk: claim},
            said,
            channel=channel,
            actor=actor,
            kind=FraudReport.Kind.STOLEN_CARD,
        )
        held = move_rows(Wallet, "hold", [wallet.pk], actor=SYSTEM, reason=claim.subject)
        if kept or held:
            audit.append(
                "claims.report_card", claim.subject, actor=actor, reason=reason, held=bool(held)
            )
        return claim


def of(claim_ids: Iterable[int]) -> set[int]:
    """Returns those of the claims whose wallet is the thief's own: nobody writes to its holder."""
    stolen = FraudReport.objects.filter(claim__in=claim_ids, kind=FraudReport.Kind.STOLEN_CARD)
    return set(stolen.filter(claim__isnull=False).values_list("claim_id", flat=True))


def refuse_release(wallet_ids: Collection[int], *, action: Saying) -> None:
    """Raises `GuardNotMet` if one of the wallets is a thief's own, unless its claim was dismissed."""
    stolen = FraudReport.objects.filter(
        kind=FraudReport.Kind.STOLEN_CARD, claim__wallet__in=wallet_ids
    ).exclude(claim__state__in=FraudClaim.DISMISSED)
    found = stolen.select_related("claim").first()
    if found is not None:
        raise GuardNotMet(
            action=action,
            why=says("claim {claim} says that the wallet is the thief's own", claim=found.claim_id),
        )
