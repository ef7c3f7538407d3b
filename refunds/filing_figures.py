"""The figures of filings, counted in the rows of an instant: people, ledger and confirmed losses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any, Final

from django.db import connection
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from refunds.claims import damage
from refunds.closing.buckets import REFUNDS
from refunds.models import Entitlement, RefundApplication
from wallets.models import WALLET_ACCOUNTS, LedgerAccount
from winddown.programme.filing_kinds import FIGURES, Figure, Rows
from winddown.words import Text

OF_REFUNDS = (LedgerAccount.REFUNDS_PAYABLE, LedgerAccount.PAYOUTS_IN_FLIGHT)
ISSUES = ("opening", "top_up")
REDEMPTIONS = ("pay", "reserve", "settle", "reverse", "claw_back")


_ROWS_AT_A_TIME: Final = 5_000


def counted(
    title: Text, select: str, *columns: str, is_amount: bool = False, **params: Any
) -> Figure:
    """Returns the figure that is the sum of the last column of the rows that `select` gives. It
    reads `%(at)s`, the instant.
    """

    def value(at: dt.datetime) -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT coalesce(sum(number), 0)::bigint FROM ({select}) AS behind",  # noqa: S608  our own SQL
                params | {"at": at},
            )
            return int(cursor.fetchone()[0])

    def lines(at: dt.datetime) -> Iterator[tuple[Any, ...]]:
        with connection.chunked_cursor() as cursor:
            cursor.execute(select, params | {"at": at})
            while found := cursor.fetchmany(_ROWS_AT_A_TIME):
                yield from found

    return Figure(
        title,
        value,
        is_amount=is_amount,
        rows=lambda at: Rows((*columns, "number"), lines(at)),
    )


_JOURNALS = """
    SELECT j.id, j.kind, j.source, j.source_id, j.occurred_at, p.account,
        {sign}sum(p.amount_minor) AS number
    FROM wallets_posting p JOIN wallets_journal j ON j.id = p.journal_id
    WHERE j.occurred_at <= %(at)s AND ({where})
    GROUP BY j.id, p.account ORDER BY j.id, p.account
"""
_ONE = "p.account = ANY (%(accounts)s) AND (%(kinds)s::text[] = '{}' OR j.kind = ANY (%(kinds)s))"
_OWED = "p.account = %(wallets)s OR p.account = ANY (%(accounts)s) AND j.kind = ANY (%(kinds)s)"


def posted(
    title: Text,
    *,
    accounts: Collection[str],
    kinds: Collection[str] = (),
    sign: str = "",
    where: str = _ONE,
    **params: Any,
) -> Figure:
    """Returns what the journals up to the instant posted to the accounts, of these kinds if any are
    named.
    """
    return counted(
        title,
        _JOURNALS.format(sign=sign, where=where),
        *("journal", "kind", "source", "source_id", "occurred_at", "account"),
        is_amount=True,
        accounts=list(accounts),
        kinds=list(kinds),
        **params,
    )


def _moved(title: Text, table: str, target: str, source: str = "%") -> Figure:
    """Returns how many rows came into the state, counted once for each row."""
    return counted(
        title,
        f"SELECT t.subject_id, min(t.at), 1 AS number FROM {table} t"  # noqa: S608  our own names
        " WHERE t.target = %(target)s AND t.source LIKE %(source)s AND t.at <= %(at)s"
        " GROUP BY t.subject_id ORDER BY t.subject_id",
        *("number_of_the_row", "first_at"),
        target=target,
        source=source,
    )


def _standing(title: Text, state: str) -> Figure:
    """Returns how many refunds stood in the state at the instant."""
    return counted(
        title,
        "SELECT s.subject_id, s.at, 1 AS number FROM (SELECT DISTINCT ON (t.subject_id)"
        " t.subject_id, t.target, t.at FROM refunds_entitlementtransition t WHERE t.at <= %(at)s"
        " ORDER BY t.subject_id, t.id DESC) AS s WHERE s.target = %(state)s ORDER BY s.subject_id",
        *("entitlement", "since"),
        state=state,
    )


_TRANSITIONS = "refunds_entitlementtransition"
_State = Entitlement.State

# Every refund journal sums to zero over these, beside the entitling one.
_OF_IDENTITY = (
    *OF_REFUNDS,
    LedgerAccount.BANK,
    LedgerAccount.UNCLAIMED,
    LedgerAccount.TRANSFERRED,
    LedgerAccount.DEPOSITED,
)

FIGURES.add_all(
    {
        "customers": counted(
            _("Customers"),
            "SELECT u.id, u.registered_at, 1 AS number FROM accounts_user u"
            " WHERE u.kind = %(customer)s"
            " AND (u.registered_at IS NULL OR u.registered_at <= %(at)s) ORDER BY u.id",
            *("account", "registered_at"),
            customer=User.Kind.CUSTOMER,
        ),
        # The published figures have their own count, and the rows are held against it.
        "fraud_victims": replace(
            counted(
                _("Confirmed victims"),
                "SELECT c.wallet_id, min(l.confirmed_at), 1 AS number FROM refunds_loss l"
                " JOIN refunds_fraudclaim c ON c.id = l.claim_id WHERE l.confirmed_at <= %(at)s"
                " GROUP BY c.wallet_id ORDER BY c.wallet_id",
                *("wallet", "confirmed_at"),
            ),
            value=lambda at: damage.damage(as_of=at).total.victims,
        ),
        "fraud_amount": replace(
            counted(
                _("Confirmed damage"),
                "SELECT l.id, l.claim_id, l.confirmed_at, l.amount_minor AS number"
                " FROM refunds_loss l WHERE l.confirmed_at <= %(at)s ORDER BY l.id",
                *("loss", "claim", "confirmed_at"),
                is_amount=True,
            ),
            value=lambda at: damage.damage(as_of=at).total.amount_minor,
        ),
        "issued": posted(_("Issued so far"), accounts=WALLET_ACCOUNTS, kinds=ISSUES),
        "redeemed": posted(
            _("Redeemed so far"), accounts=WALLET_ACCOUNTS, kinds=REDEMPTIONS, sign="-"
        ),
        # What holders have or are still owed. What was excluded counts as redeemed.
        "unused_balance": posted(
            _("Unused balance, paid value"),
            accounts=OF_REFUNDS,
            kinds=REFUNDS,
            where=_OWED,
            wallets=LedgerAccount.WALLET_PAID,
        ),
        "safeguarded": counted(
            _("Funds set aside"),
            "SELECT a.seq, a.at, (a.facts ->> 'amount_minor')::bigint AS number"
            " FROM winddown_auditentry a WHERE a.action = 'programme.report_safeguarded'"
            " AND a.at <= %(at)s ORDER BY a.seq DESC LIMIT 1",
            *("audit_entry", "reported_at"),
            is_amount=True,
        ),
        "entitled_holders": counted(
            _("Entitled holders"),
            "SELECT p.wallet_id, min(j.occurred_at), 1 AS number"
            " FROM wallets_posting p JOIN wallets_journal j ON j.id = p.journal_id"
            " WHERE p.account = %(wallets)s AND j.kind = 'entitle' AND j.occurred_at <= %(at)s"
            " GROUP BY p.wallet_id ORDER BY p.wallet_id",
            *("wallet", "entitled_at"),
            wallets=LedgerAccount.WALLET_PAID,
        ),
        "entitled_amount": posted(
            _("Entitled amount"), accounts=[LedgerAccount.REFUNDS_PAYABLE], kinds=["entitle"]
        ),
        "applied_refunds": _moved(_("Refunds that were applied for"), _TRANSITIONS, _State.APPLIED),
        "rejected_applications": _moved(
            _("Rejected applications"),
            "refunds_refundapplicationtransition",
            RefundApplication.State.REJECTED,
        ),
        "paid_refunds": _standing(_("Refunds paid, in number"), _State.PAID),
        "paid_amount": posted(_("Refunds paid"), accounts=[LedgerAccount.BANK], kinds=REFUNDS),
        "returned_transfers": _moved(
            _("Refunds that came back at least once"), _TRANSITIONS, _State.RETURNED
        ),
        "late_claims": _moved(_("Late claims approved"), _TRANSITIONS, _State.LATE_APPROVED),
        "transferred_amount": posted(
            _("Refunds taken over by another issuer"),
            accounts=[LedgerAccount.TRANSFERRED],
            kinds=REFUNDS,
        ),
        "excluded_refunds": _standing(_("Refunds excluded, in number"), _State.EXCLUDED),
        "excluded_amount": posted(
            _("Refunds excluded"), accounts=[LedgerAccount.UNCLAIMED], kinds=REFUNDS
        ),
        "unpaid_amount": posted(_("Refunds not paid yet"), accounts=OF_REFUNDS, kinds=REFUNDS),
        "difference": posted(
            _("Entitled less paid, taken over, excluded and not paid yet"),
            accounts=_OF_IDENTITY,
            kinds=REFUNDS[1:],
            sign="-",
        ),
    }
)
