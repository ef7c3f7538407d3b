"""The gates of refunds: every holder is paid, every claim is settled, and the funds suffice."""

from __future__ import annotations

import datetime as dt

from django.db.models import Count as Counted
from django.db.models import Q, Sum
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from refunds.claims import reserve
from refunds.models import (
    BankDayDifference,
    Chargeback,
    Entitlement,
    FraudClaim,
    Payout,
    PayoutBatch,
    ReconciliationBreak,
    TraceCase,
)
from refunds.payouts import bank_days, breaks, funding, refund_limits, traces, view_lists
from refunds.remedies import chargebacks
from winddown import clock
from winddown.models import Programme
from winddown.programme import incident_withdrawal, stages
from winddown.programme.gates import GATES, Count, Gate, open_now

funding.DISPUTED.add("claims", reserve.total_minor)


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
    """Returns the open claims, and the open chargebacks where there was any."""
    counts = [
        open_now(
            _("Claims not settled"),
            found=FraudClaim.objects.exclude(state__in=FraudClaim.SETTLED).count(),
            of=FraudClaim.objects.count(),
        )
    ]
    if known := Chargeback.objects.count():
        still_open = chargebacks.open_cases().count()
        counts.append(open_now(_("Chargebacks not ended"), found=still_open, of=known))
    return counts


def _funds() -> list[Count]:
    """Returns the funds beside what the law asks for and what is disputed."""
    found, needed = Programme.current().safeguarded_minor, funding.needed_minor()
    return [
        Count(
            _("Funds set aside, of what the law asks for and what is disputed"),
            found=found,
            missing=max(needed - found, 0),
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


def _traces() -> list[Count]:
    return [
        open_now(
            _("Traces of payouts that are not closed"),
            found=traces.open_ones().count(),
            of=TraceCase.objects.count(),
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


def _bank_days() -> list[Count]:
    """Returns what is open of the three-way tie: days without a statement, a day that is not tied,
    and what differs.
    """
    tie = bank_days.newest()
    unstated, untied = bank_days.days_without_statement(), int(bank_days.is_due())
    counts = [
        open_now(_("Bank days that no statement covers"), found=unstated, of=unstated),
        open_now(_("Last bank day that is not tied"), found=untied, of=1),
    ]
    if tie is None:
        return counts
    wrong = tie.differences.filter(kind__in=BankDayDifference.WRONG).count()
    unknown = abs(tie.unexplained_minor) + abs(tie.customers_differ_minor)
    return [
        *counts,
        open_now(
            _("Differences of the bank day to look at"), found=wrong, of=tie.differences.count()
        ),
        open_now(
            _("Amount that nothing explains"), found=unknown, of=tie.ledger_minor, is_amount=True
        ),
    ]


GATES.add("bank_days", Gate(_("Ledger, statements and customers' pages agree"), _bank_days))
GATES.add("traces", Gate(_("No trace of a payout is open"), _traces))
GATES.add("breaks", Gate(_("No line of the bank's answers is open"), _breaks))
GATES.add("payouts", Gate(_("No payout is under way"), _payouts))
GATES.add("holders_paid", Gate(_("Every holder is paid or excluded"), _holders))
GATES.add("claims", Gate(_("Every claim is settled"), _claims))
GATES.add("funds", Gate(_("The funds set aside are as large as the law asks"), _funds))

for _name in ("payouts", "holders_paid", "claims", "breaks", "bank_days", "traces"):
    stages.CLOSING_PROOFS.add(_name, stages.gate_holds(_name))
