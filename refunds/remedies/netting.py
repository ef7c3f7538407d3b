"""The same yen is never paid again: what a holder has of the thief's charges is netted against what
we pay, or is owed back."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence

from django.db.models import Sum

from refunds.attribution import claim_rules
from refunds.attribution.wallet_traces import wallet_traces
from refunds.models import Doubt, FraudClaim, Loss, Remedy
from wallets.models import LedgerAccount
from wallets.movements import posting
from winddown.actors import SYSTEM
from winddown.evidence import audit


def of_compensations(losses: Sequence[Loss]) -> dict[int, int]:
    """Returns for each loss how much of its compensation the holder has already."""
    left = had_minor({loss.claim_id for loss in losses})
    found = {}
    for loss in losses:
        found[loss.pk] = min(loss.amount_minor, left[loss.claim_id])
        left[loss.claim_id] -= found[loss.pk]
    return found


def had_minor(claim_ids: Collection[int]) -> dict[int, int]:
    """Returns for each claim what its holder spent, or was refunded, of the thief's charges, and
    neither a compensation nor a receivable takes into account yet. Without a claw-back it is theirs
    twice once the charge itself is made good.
    """
    had: dict[int, int] = defaultdict(int)
    if not claim_ids:
        return had
    for claim_id, traced in wallet_traces(claim_ids, policy=claim_rules.tracing_policy()).items():
        had[claim_id] = traced.paid.holder_used_minor
    known = [claim_id for claim_id, minor in had.items() if minor]
    if not known:
        return had
    # Whoever nets for the same claim waits, and then sees what this one netted.
    claims = FraudClaim.objects.filter(pk__in=known).order_by("pk")
    list(claims.select_for_update(no_key=True).values_list("pk"))
    netted = Remedy.objects.filter(loss__claim__in=known).exclude(state=Remedy.State.FAILED)
    twice = Doubt.objects.filter(remedy__loss__claim__in=known, kind=Doubt.Kind.PAID_TWICE)
    for claim_id, minor in [
        *netted.values_list("loss__claim").annotate(sum=Sum("netted_minor")),
        *twice.filter(remedy__state__in=Remedy.DONE)
        .exclude(remedy__kind=Remedy.Kind.COMPENSATION_PAYOUT)
        .values_list("remedy__loss__claim")
        .annotate(sum=Sum("amount_minor")),
    ]:
        had[claim_id] = max(0, had[claim_id] - int(minor))
    return had


def book(remedy: Remedy, kind: str, *, at: dt.datetime) -> None:
    """What is netted of the remedy is no loss of ours; with `net_back` it is one again, because the
    remedy failed. Nothing is booked where nothing is netted.
    """
    if not remedy.netted_minor:
        return
    amount = remedy.netted_minor if kind == "net" else -remedy.netted_minor
    posting.post(
        [
            (LedgerAccount.FRAUD_SUSPENSE, None, -amount),
            (LedgerAccount.FRAUD_LOSS, None, amount),
        ],
        source="remedy",
        source_id=remedy.pk,
        kind=kind,
        occurred_at=at,
        actor=SYSTEM,
    )


def owed_back(done: Sequence[Remedy]) -> None:
    """An issuer made good the whole of these losses, so what the holder has of the charges is owed to
    us. Two people decide whether it is collected.
    """
    by_others = [each for each in done if each.kind != Remedy.Kind.COMPENSATION_PAYOUT]
    left = had_minor({each.loss.claim_id for each in by_others if each.loss.top_up_id})
    for each in by_others:
        minor = min(each.amount_minor, left[each.loss.claim_id])
        if minor and each.loss.top_up_id:
            left[each.loss.claim_id] -= minor
            doubt = Doubt.objects.create(
                kind=Doubt.Kind.PAID_TWICE, remedy=each, amount_minor=minor
            )
            audit.append("doubts.paid_twice", doubt.subject, actor=SYSTEM, amount_minor=minor)
