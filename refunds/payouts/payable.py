"""Who may be paid, and every reason for which somebody may not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery

from refunds.models import (
    BankDataset,
    Branch,
    Entitlement,
    FraudClaim,
    Payee,
    Payout,
    RefundApplication,
    Remedy,
)
from refunds.payouts import refund_limits
from refunds.remedies import own_funds
from refunds.workflows.refund_balances import pay
from winddown.models import Run

UNDECIDED = (
    *FraudClaim.UNDER_WORK,
    FraudClaim.State.PROPOSED_CONFIRM,
    FraudClaim.State.PROPOSED_REJECT,
)


@dataclass(frozen=True, slots=True)
class Payable:
    """What may be paid: rows, their sum, and the digest over every id and amount."""

    rows: int
    amount_minor: int
    digest: str


def usable_payees(run: Run, **holder: Any) -> QuerySet[Payee]:
    """Current payees that may be paid: checked, cooled off, in the bank data, nobody else's.

    A new channel of the holder cools off as long as a new account does (rule 57): whoever was let
    in by an assisted case gets no money out before the old channel had a day to object.
    """
    until = pay.until(run)
    known = Branch.objects.filter(
        dataset__in=BankDataset.objects.filter(active=True),
        bank_code=OuterRef("bank_code"),
        code=OuterRef("branch_code"),
    )
    # One look into the index for each payee: a list of all shared accounts would be made anew for
    # each batch.
    sharing = (
        Payee.objects.filter(
            fingerprint=OuterRef("fingerprint"), replaced_at=None, entered_at__lte=until
        )
        .order_by()
        .values("fingerprint")
        .annotate(n=Count("pk"))
        .values("n")
    )
    return Payee.objects.alias(holders=Subquery(sharing)).filter(
        Exists(known),
        ~Exists(_compromised(OuterRef("holder_id"), OuterRef("entered_at"))),
        Q(holders__lte=refund_limits.current().holders_per_account_max)
        | Q(shared_cleared_at__lte=until),
        Q(holder__channel_changed_at=None)
        | Q(holder__channel_changed_at__lte=pay.channels_until(run)),
        replaced_at=None,
        state__in=Payee.PAYABLE,
        usable_from__lte=until,
        answered_at__lte=until,
        **holder,
    )


def _compromised(holder: Any, entered_at: Any) -> QuerySet[FraudClaim]:
    """Confirmed claims of the holder in whose time of compromise the account was entered (I5)."""
    return FraudClaim.objects.filter(
        Q(secured_at=None) | Q(secured_at__gt=entered_at),
        wallet__account=holder,
        confirmed_at__isnull=False,
        compromised_from__lte=entered_at,
    )


def undecided(wallet: Any) -> QuerySet[FraudClaim]:
    """Claims about the wallet that nobody has decided: its money stays until somebody does (I5)."""
    return FraudClaim.objects.filter(wallet=wallet, state__in=UNDECIDED)


def _shared_accounts(run: Run) -> list[str]:
    """Accounts that more holders gave than the terms allow without a look (rule 58)."""
    limits = refund_limits.current()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT fingerprint FROM refunds_payee WHERE replaced_at IS NULL AND entered_at <= %s"
            " GROUP BY 1 HAVING count(*) > %s ORDER BY 1",
            [pay.until(run), limits.holders_per_account_max],
        )
        return [row[0] for row in cursor.fetchall()]


def payable_refunds(run: Run) -> QuerySet[Any]:
    approved = RefundApplication.objects.filter(
        entitlement=OuterRef("pk"), live=True, state="approved", decided_at__lte=pay.until(run)
    )
    usable = usable_payees(run, holder_id=OuterRef("wallet__account_id"))
    return Entitlement.objects.filter(
        Exists(approved),
        Exists(usable),
        ~Exists(undecided(OuterRef("wallet"))),
        state__in=["approved", "late_approved"],
    )


def payable_remedies(run: Run) -> QuerySet[Any]:
    usable = usable_payees(run, holder_id=OuterRef("loss__claim__wallet__account_id"))
    live = Payout.objects.filter(remedy=OuterRef("pk"), live=True)
    return (
        Remedy.objects.filter(pk__in=own_funds.compensations().values("pk"))
        .filter(Exists(usable), ~Exists(live), asked_at__lte=pay.until(run))
        .order_by("pk")
    )


def left_out(run: Run) -> dict[str, int]:
    """Approved refunds not paid now, by the first reason that applies, and those held.

    Beside the plan and not in its digest: customers go on changing these counts, and whom the run
    pays is fixed by the digests over ids and amounts.
    """
    until = pay.until(run)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT reason, count(*) FROM (
                SELECT CASE
                    WHEN e.state = 'held' THEN 'held'
                    WHEN a.decided_at > %(until)s THEN NULL
                    WHEN p.state = 'refused' THEN 'payee_refused'
                    WHEN a.id IS NULL THEN 'application_not_approved'
                    WHEN p.id IS NULL THEN 'no_payee'
                    WHEN p.usable_from > %(until)s OR u.channel_changed_at > %(channels)s
                        THEN 'cooling_off'
                    WHEN p.state NOT IN ('matched', 'overridden') OR p.answered_at > %(until)s
                        THEN 'payee_not_checked'
                    WHEN p.fingerprint = ANY (%(shared)s)
                        AND (p.shared_cleared_at IS NULL OR p.shared_cleared_at > %(until)s)
                            THEN 'shared_account'
                    WHEN b.id IS NULL THEN 'branch_not_in_bank_data'
                    WHEN EXISTS (SELECT FROM refunds_fraudclaim c WHERE c.wallet_id = e.wallet_id
                        AND c.state = ANY (%(undecided)s)) THEN 'claim_undecided'
                    WHEN EXISTS (
                        SELECT FROM refunds_fraudclaim c JOIN wallets_wallet v ON v.id = c.wallet_id
                        WHERE v.account_id = w.account_id AND c.confirmed_at IS NOT NULL
                          AND c.compromised_from <= p.entered_at
                          AND (c.secured_at IS NULL OR c.secured_at > p.entered_at)
                    ) THEN 'entered_during_compromise'
                    END AS reason
                FROM refunds_entitlement e JOIN wallets_wallet w ON w.id = e.wallet_id
                JOIN accounts_user u ON u.id = w.account_id
                LEFT JOIN refunds_refundapplication a ON a.entitlement_id = e.id AND a.live
                    AND a.state = 'approved'
                LEFT JOIN refunds_payee p ON p.holder_id = w.account_id AND p.replaced_at IS NULL
                LEFT JOIN refunds_bankdataset d ON d.active
                LEFT JOIN refunds_branch b ON b.dataset_id = d.id AND b.bank_code = p.bank_code
                    AND b.code = p.branch_code
                WHERE e.state IN ('approved', 'late_approved', 'held')
            ) judged WHERE reason IS NOT NULL GROUP BY 1 ORDER BY 1
            """,
            {
                "until": until,
                "channels": pay.channels_until(run),
                "shared": _shared_accounts(run),
                "undecided": list(UNDECIDED),
            },
        )
        return dict(cursor.fetchall())
