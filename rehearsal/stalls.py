"""What is left open at the end of a rehearsal: how often, for how much, and who mends it where."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.db.models import Case, Count, Exists, OuterRef, Q, QuerySet, Sum, TextField, Value, When
from django.utils import translation

from accounts.models import User
from refunds.models import (
    Entitlement,
    FraudClaim,
    IssuerAction,
    Payee,
    RefundApplication,
    Remedy,
)
from rehearsal.doors import Stall
from winddown import clock
from winddown.programme import gates, milestones


@dataclass(frozen=True, slots=True)
class Mend:
    """Somebody in the role mends it by the door."""

    role: str
    door: str


@dataclass(frozen=True, slots=True)
class Open:
    """Rows that are open for one reason. The first reason that fits a row counts."""

    what: str
    rows: Q
    why: str
    mend: Mend


# No page decides claims yet. The look-up shows each of them, and what was done about it.
_CLAIMS = Mend("fraud_analyst", "/console/look-up/")
OF_GATE: Mapping[str, Mend] = {
    "bank_days": Mend("treasury_operator", "import_bank_results"),
    "breaks": Mend("treasury_operator", "take_break"),
    "traces": Mend("treasury_operator", "take_trace"),
    "claims": _CLAIMS,
    "duties": Mend("compliance", "keep_closing_document"),
    "filings": Mend("compliance", "filing"),
    "funds": Mend("compliance", "report_funds"),
    "holders_paid": Mend("treasury_operator", "refund_balances"),
    "merchants": Mend("compliance", "remind_merchants"),
    "notice": Mend("compliance", "record_publication"),
    "payouts": Mend("treasury_operator", "close_payout_batch"),
    "runs": Mend("incident_commander", "/console/"),
    "stops": Mend("compliance", "approve"),
    "straight_through": Mend("treasury_operator", "drill"),
}
# How many need somebody's touch follows from the bank accounts that are made up, not from the data.
PLAYED_BY_US = "straight_through"
UNREACHABLE = Mend("incident_commander", "export_unreachable")
_ISSUERS = Mend("fraud_analyst", "export_issuer_asks")
_State = Entitlement.State


def found() -> Iterator[Stall]:
    """Yields what stalls now: refunds and losses that are not made good, gates that fail, and
    deadlines that passed. No refund and no loss is in two lines with an amount.
    """
    yield from _refunds()
    yield from _losses()
    with translation.override("en"):
        for name, gate in gates.GATES.items():
            failing = gates.failing(gates.measured(name))
            if failing and name != PLAYED_BY_US:
                mend = OF_GATE[name]
                number = next((each.missing for each in failing if not each.is_amount), 1)
                said = str(gates.said(failing))
                yield Stall(f"gate {gate.title}", number, said, mend.role, mend.door)
        for late in itertools.chain(*milestones.overdue(clock.now())):
            role = late.owner_role or "compliance"
            why = "its deadline has passed"
            yield Stall(f"milestone {late.kind}", 1, why, role, "reach_milestone")


def unreachable() -> QuerySet[User]:
    """Returns the customers to whom no message arrives now."""
    return User.objects.customers().without_channel(verified_by=clock.now())


def _refunds() -> Iterator[Stall]:
    unpaid = Entitlement.objects.exclude(state__in=Entitlement.DISCHARGED)
    cut_off = unreachable()
    of_theirs = unpaid.filter(wallet__account__in=cut_off)
    owed = of_theirs.aggregate(sum=Sum("amount_minor", default=0))["sum"]
    if number := cut_off.count():
        yield Stall(
            "people who cannot be reached",
            number,
            "they have no verified address or number: they hear of nothing, choose no password and"
            " apply for nothing",
            UNREACHABLE.role,
            UNREACHABLE.door,
            owed,
        )
    yield from _lines(unpaid.exclude(wallet__account__in=cut_off), refund_reasons())


def refund_reasons() -> tuple[Open, ...]:
    """Returns the reasons for which the refund of somebody who can be reached is not paid."""
    refused = Payee.objects.filter(
        holder=OuterRef("wallet__account"), replaced_at=None, state=Payee.State.REFUSED
    )
    of_it = RefundApplication.objects.filter(entitlement=OuterRef("pk"))
    by_people = of_it.filter(live=True)
    silent = of_it.filter(rejection=RefundApplication.Rejection.NO_ANSWER)
    claimed = FraudClaim.objects.filter(wallet=OuterRef("wallet"), state__in=FraudClaim.UNDECIDED)
    return (
        Open(
            "refunds on hold",
            Q(state=_State.HELD),
            "two people must release them",
            Mend("fraud_supervisor", "release_refund"),
        ),
        Open(
            "payouts without an answer",
            Q(state=_State.PAYING),
            "the bank has not said what became of them",
            Mend("treasury_operator", "import_bank_results"),
        ),
        Open(
            "bank accounts that cannot be paid",
            Q(state=_State.RETURNED) | Q(Exists(refused)) | Q(Exists(silent)),
            "the money came back or the bank refused the account, and the holder gives no other one",
            Mend("support", "correct_payee"),
        ),
        Open(
            "refunds behind a claim",
            Q(Exists(claimed)),
            "nobody has decided a claim of fraud about the wallet",
            _CLAIMS,
        ),
        Open(
            "approved refunds in no payout file",
            Q(state__in=Entitlement.PAYABLE),
            "no payout was made for them",
            Mend("treasury_operator", "refund_balances"),
        ),
        Open(
            "applications that wait for people",
            Q(Exists(by_people.exclude(state=RefundApplication.State.APPROVED))),
            "nobody has checked, proposed or decided them",
            Mend("support", "propose_application"),
        ),
        Open(
            "refunds that nobody applied for",
            Q(),
            "their holders did not apply in time",
            Mend("support", "enter_application"),
        ),
    )


def _losses() -> Iterator[Stall]:
    undecided = FraudClaim.objects.filter(state__in=FraudClaim.UNDECIDED).aggregate(
        number=Count("pk", distinct=True),
        sum=Sum("losses__amount_minor", filter=Q(losses__dropped_at=None), default=0),
    )
    if undecided["number"]:
        yield Stall(
            "claims that nobody decided",
            undecided["number"],
            "a loss is missing, or a second person",
            _CLAIMS.role,
            _CLAIMS.door,
            undecided["sum"],
        )
    open_remedies = Remedy.objects.filter(state__in=Remedy.UNDER_WAY)
    yield from _lines(open_remedies, LOSS_REASONS)


LOSS_REASONS = (
    Open(
        "requests that were not sent to their issuer",
        Q(action__state__in=IssuerAction.UNSENT),
        "a second person has not approved them, or nobody wrote the file",
        _ISSUERS,
    ),
    Open(
        "requests that an issuer has not answered",
        Q(action__state__in=IssuerAction.ANSWERABLE),
        "the answer is awaited or overdue",
        Mend("fraud_analyst", "export_issuer_asks --again"),
    ),
    Open(
        "requests about which an issuer asks back",
        Q(action__state=IssuerAction.State.NEED_INFO),
        "the issuer needs more before it answers",
        Mend("fraud_analyst", "export_issuer_asks --again"),
    ),
    Open(
        "requests that no statement has proved",
        Q(action__isnull=False),
        "the issuer has not shown that it did what it promised",
        Mend("fraud_analyst", "follow_up_claims"),
    ),
    Open(
        "losses that the operator has not paid",
        Q(kind=Remedy.Kind.COMPENSATION_PAYOUT),
        "no issuer makes them good, and the victim has no account that can be paid",
        Mend("treasury_operator", "refund_balances"),
    ),
    Open(
        "losses that a chargeback stands for",
        Q(kind=Remedy.Kind.CHARGEBACK_ACCEPTED),
        "two people have not answered it, or the scheme has not decided",
        Mend("fraud_analyst", "answer_chargeback"),
    ),
    Open(
        "losses that are not made good",
        Q(),
        "their route has not ended",
        Mend("fraud_supervisor", _CLAIMS.door),
    ),
)


def _lines(rows: QuerySet, reasons: tuple[Open, ...]) -> Iterator[Stall]:
    """Yields a line for each reason that some of the rows are open for."""
    named = Case(
        *(When(each.rows, then=Value(each.what)) for each in reasons if each.rows),
        default=Value(reasons[-1].what),
        output_field=TextField(),
    )
    counted = {
        row["open_for"]: (row["number"], row["sum"])
        for row in rows.annotate(open_for=named)
        .values("open_for")
        .annotate(number=Count("pk"), sum=Sum("amount_minor"))
    }
    for each in reasons:
        if each.what in counted:
            number, amount = counted[each.what]
            yield Stall(each.what, number, each.why, each.mend.role, each.mend.door, amount)
