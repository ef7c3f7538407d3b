"""The alarms about refunds: forgotten files, late answers of issuers, claims that wait too long."""

from __future__ import annotations

import datetime as dt

from django.db.models import Count
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from refunds.applications import unusual
from refunds.models import FraudClaim, IssuerAction
from refunds.payouts import bank_days, sent_files, traces
from winddown.alarm_kinds import ALARM_FINDERS, KINDS, AlarmCondition, AlarmKind, Severity

# A claim that nobody decided for so long is an alarm: the holder waits for the money.
CLAIM_WAITS_MAX = dt.timedelta(days=14)

KINDS.add_all(
    {
        "database_restored": AlarmKind(
            _("A database was restored"),
            "treasury_approver",
            Severity.GRAVE,
            "restored-database.md",
        ),
        "bank_day_differs": AlarmKind(
            _("A bank day does not tie"),
            "treasury_operator",
            Severity.GRAVE,
            "bank-day-differs.md",
        ),
        "trace_overdue": AlarmKind(
            _("A trace of a payout is overdue"),
            "treasury_operator",
            Severity.WARNING,
            "trace-overdue.md",
        ),
        "issuer_late": AlarmKind(
            _("Answers of an issuer are late"),
            "fraud_supervisor",
            Severity.WARNING,
            "issuer-late.md",
        ),
        "unusual_applications": AlarmKind(
            _("Unusual applications wait"),
            "fraud_supervisor",
            Severity.WARNING,
            "unusual-applications.md",
        ),
        "claims_wait": AlarmKind(
            _("Fraud claims wait too long"), "fraud_supervisor", Severity.WARNING, "claims-wait.md"
        ),
    }
)


@ALARM_FINDERS.entry("restored database")
def restored_alarms(at: dt.datetime) -> list[AlarmCondition]:
    if not sent_files.unknown():
        return []
    return [
        AlarmCondition(
            "database_restored",
            "restored_database",
            _("Files left that this database does not know. Payouts are stopped."),
            reverse("console:restored"),
        )
    ]


@ALARM_FINDERS.entry("bank days that differ")
def bank_day_alarms(at: dt.datetime) -> list[AlarmCondition]:
    """Returns an alarm while the newest tie has a difference that does not pass by itself."""
    tie = bank_days.newest()
    if tie is None or tie.holds:
        return []
    return [
        AlarmCondition(
            "bank_day_differs",
            "bank_day",
            _("Bank day %(day)s: ledger, statements and customers' pages do not agree."),
            reverse("console:bank_days"),
            {"day": tie.bank_day.isoformat()},
        )
    ]


@ALARM_FINDERS.entry("overdue traces")
def trace_alarms(at: dt.datetime) -> list[AlarmCondition]:
    """Returns an alarm while a trace is open after its day."""
    late = traces.overdue().count()
    if not late:
        return []
    return [
        AlarmCondition(
            "trace_overdue",
            "traces",
            _("Traces of payouts that are open after their day: %(n)s"),
            reverse("console:traces"),
            {"n": f"{late:,}"},
        )
    ]


@ALARM_FINDERS.entry("late issuers")
def issuer_alarms(at: dt.datetime) -> list[AlarmCondition]:
    """Returns an alarm for each issuer whose answers are late."""
    late = IssuerAction.objects.filter(
        state__in=IssuerAction.ANSWERABLE, answer_due_at__lte=at
    ).values_list("issuer__code")
    return [
        AlarmCondition(
            "issuer_late",
            f"issuer:{code}",
            _("Issuer %(issuer)s: %(n)s answers are late."),
            reverse("console:incident"),
            {"issuer": code, "n": f"{requests:,}"},
        )
        for code, requests in late.annotate(n=Count("pk")).order_by("issuer__code")
    ]


@ALARM_FINDERS.entry("unusual applications")
def unusual_alarms(at: dt.datetime) -> list[AlarmCondition]:
    """Returns an alarm while a rule that is enforced keeps applications from being paid."""
    waiting = unusual.held().count()
    if not waiting:
        return []
    return [
        AlarmCondition(
            "unusual_applications",
            "unusual_applications",
            _("%(n)s unusual applications are not paid until two people clear them."),
            reverse("console:unusual"),
            {"n": f"{waiting:,}"},
        )
    ]


@ALARM_FINDERS.entry("waiting claims")
def claim_alarms(at: dt.datetime) -> list[AlarmCondition]:
    """Returns an alarm while claims wait longer than `CLAIM_WAITS_MAX` for their decision."""
    waiting = FraudClaim.objects.filter(
        state__in=FraudClaim.UNDECIDED, opened_at__lte=at - CLAIM_WAITS_MAX
    ).aggregate(n=Count("pk"))
    if not waiting["n"]:
        return []
    return [
        AlarmCondition(
            "claims_wait",
            "claims",
            _("%(n)s fraud claims wait for longer than %(days)s days."),
            reverse("console:incident"),
            {"n": f"{waiting['n']:,}", "days": CLAIM_WAITS_MAX.days},
        )
    ]
