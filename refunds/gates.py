"""The gates of refunds: every holder is paid, every claim is settled, and the funds suffice."""

from __future__ import annotations

import datetime as dt

from django.db import connection
from django.db.models import Count as Counted
from django.db.models import Q, Sum
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from refunds.models import Entitlement, FraudClaim, Payout, PayoutBatch, ReconciliationBreak
from refunds.payouts import breaks, refund_limits, view_lists
from wallets.models import LedgerAccount, Wallet
from winddown import clock
from winddown.models import Programme
from winddown.programme import incident_withdrawal, jurisdictions, stages
from winddown.programme.gates import GATES, Count, Gate, open_now


def _holders() -> list[Count]:
    unpaid = Q(state__in=Entitlement.UNPAID)
    found = Entitlement.objects.aggregate(
        rows=Counted("pk"),
        unpaid=Counted("pk", filter=unpaid),
        sum=Sum("amount_minor", default=0),
        unpaid_sum=Sum("amount_minor", filter=unpaid, default=0),
    )
    return [
        open_now(_("Refunds not paid"), found=found["unpaid"], of=found["rows"]),
        open_now(_("Amount not paid"), found=found["unpaid_sum"], of=found["sum"], is_amount=True),
    ]


def _claims() -> list[Count]:
    return [
        open_now(
            _("Claims not settled"),
            found=FraudClaim.objects.exclude(state__in=FraudClaim.SETTLED).count(),
            of=FraudClaim.objects.count(),
        )
    ]


def owed_to_holders() -> int:
    """Returns what the operator owes to holders: paid value in wallets, refunds owed, and refunds
    on their way.
    """
    in_wallets = Wallet.objects.aggregate(total=Sum("paid_minor", default=0))["total"]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(p.amount_minor), 0)::bigint FROM wallets_posting p"
            " WHERE p.account = ANY (%s)",
            [[LedgerAccount.REFUNDS_PAYABLE, LedgerAccount.PAYOUTS_IN_FLIGHT]],
        )
        (on_accounts,) = cursor.fetchone()
    return int(in_wallets) + int(on_accounts)


def _funds() -> list[Count]:
    """Returns the funds beside the share of the liabilities that the law asks for, rounded up."""
    programme = Programme.current()
    pack = jurisdictions.pack(programme.jurisdiction)
    owed = owed_to_holders()
    percent = pack.number("deposit_percent")
    needed = -(-owed * percent // 100) if owed > pack.number("deposit_above_minor") else 0
    return [
        Count(
            _("Funds set aside, of what the law asks for"),
            found=programme.safeguarded_minor,
            missing=max(needed - programme.safeguarded_minor, 0),
            of=needed,
            is_amount=True,
        )
    ]


def _payouts() -> list[Count]:
    under_way = Payout.objects.filter(state__in=Payout.IN_FLIGHT)
    return [
        open_now(_("Payouts under way"), found=under_way.count(), of=Payout.objects.count()),
        open_now(
            _("Payout files that are not closed"),
            found=PayoutBatch.objects.exclude(
                state__in=(*PayoutBatch.DEAD, PayoutBatch.State.CLOSED)
            ).count(),
            of=PayoutBatch.objects.count(),
        ),
    ]


def _breaks() -> list[Count]:
    return [
        open_now(
            _("Lines of the bank's answers that are not cleared"),
            found=breaks.open_breaks(),
            of=ReconciliationBreak.objects.count(),
        )
    ]


@incident_withdrawal.RESTS_ON_INCIDENT.entry("claims")
def _opened(since: dt.datetime) -> list[object]:
    found = FraudClaim.objects.filter(state__in=FraudClaim.OPEN, opened_at__gte=since).count()
    if not found:
        return []
    return [format_lazy(_("claims opened since that are not settled: {n}"), n=f"{found:,}")]


# After this time a payout view says nothing about today.
VIEW_AGE_MAX = dt.timedelta(days=2)


def _straight_through() -> list[Count]:
    """Returns the people and the amount that need nobody's touch, in the newest payout view."""
    view = view_lists.newest()
    if view is None or clock.now() - view.as_of > VIEW_AGE_MAX:
        return [Count(_("Payout views of the last two days"), found=0, missing=1, of=1)]
    percent = refund_limits.current().straight_through_percent
    return [
        Count(
            title,
            found=found,
            missing=max(-(-whole * percent // 100) - found, 0),
            of=whole,
            is_amount=is_amount,
        )
        for title, found, whole, is_amount in (
            (_("People who need nobody's touch"), view.straight_people, view.people, False),
            (_("Amount that needs nobody's touch"), view.straight_minor, view.total_minor, True),
        )
    ]


GATES.add(
    "straight_through",
    Gate(_("Enough refunds go through without anybody's touch"), _straight_through),
)
GATES.add("breaks", Gate(_("No line of the bank's answers is open"), _breaks))
GATES.add("payouts", Gate(_("No payout is under way"), _payouts))
GATES.add("holders_paid", Gate(_("Every holder is paid or excluded"), _holders))
GATES.add("claims", Gate(_("Every claim is settled"), _claims))
GATES.add("funds", Gate(_("The funds set aside are as large as the law asks"), _funds))

for _name in ("payouts", "holders_paid", "claims", "breaks"):
    stages.CLOSING_PROOFS.add(_name, stages.gate_holds(_name))
