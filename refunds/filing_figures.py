"""The figures of filings, counted in the rows of an instant: people, ledger and confirmed losses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db import connection
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from refunds.claims import damage
from refunds.closing.buckets import REFUNDS
from wallets.models import WALLET_ACCOUNTS, LedgerAccount
from winddown.models import AuditEntry
from winddown.programme.filing_kinds import FIGURES, Figure
from winddown.words import Text

OF_REFUNDS = (LedgerAccount.REFUNDS_PAYABLE, LedgerAccount.PAYOUTS_IN_FLIGHT)
ISSUES = ("opening", "top_up")
REDEMPTIONS = ("pay", "reserve", "settle", "reverse", "claw_back")


def _posted(as_of: dt.datetime, *, accounts: Collection[str], kinds: Collection[str] = ()) -> int:
    """Returns what the journals up to the instant posted to the accounts, of these kinds if any are
    named.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT coalesce(sum(p.amount_minor), 0)::bigint
            FROM wallets_posting p JOIN wallets_journal j ON j.id = p.journal_id
            WHERE p.account = ANY (%s) AND j.occurred_at <= %s
              AND (%s = '{}'::text[] OR j.kind = ANY (%s))
            """,
            [list(accounts), as_of, list(kinds), list(kinds)],
        )
        return int(cursor.fetchone()[0])


def _unused(as_of: dt.datetime) -> int:
    """Returns the paid value that holders have or are still owed. What was excluded counts as
    redeemed.
    """
    in_wallets = _posted(as_of, accounts=[LedgerAccount.WALLET_PAID])
    return in_wallets + _posted(as_of, accounts=OF_REFUNDS, kinds=REFUNDS)


def _entitled_holders(as_of: dt.datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(DISTINCT p.wallet_id)
            FROM wallets_posting p JOIN wallets_journal j ON j.id = p.journal_id
            WHERE p.account = %s AND j.kind = 'entitle' AND j.occurred_at <= %s
            """,
            [LedgerAccount.WALLET_PAID, as_of],
        )
        return int(cursor.fetchone()[0])


def _safeguarded(as_of: dt.datetime) -> int:
    reports = AuditEntry.objects.filter(action="programme.report_safeguarded", at__lte=as_of)
    newest = reports.order_by("-seq").first()
    return int(newest.facts["amount_minor"]) if newest else 0


def _refunded(title: Text, account: LedgerAccount) -> Figure:
    """Returns what the refunds credited to the account. It has them as negative postings."""
    return Figure(title, lambda at: _posted(at, accounts=[account], kinds=REFUNDS), is_amount=True)


FIGURES.add_all(
    {
        "customers": Figure(
            _("Customers"), lambda at: User.objects.customers().registered_by(at).count()
        ),
        "fraud_victims": Figure(
            _("Confirmed victims"), lambda at: damage.damage(as_of=at).total.victims
        ),
        "fraud_amount": Figure(
            _("Confirmed damage"),
            lambda at: damage.damage(as_of=at).total.amount_minor,
            is_amount=True,
        ),
        "issued": Figure(
            _("Issued so far"),
            lambda at: _posted(at, accounts=WALLET_ACCOUNTS, kinds=ISSUES),
            is_amount=True,
        ),
        "redeemed": Figure(
            _("Redeemed so far"),
            lambda at: -_posted(at, accounts=WALLET_ACCOUNTS, kinds=REDEMPTIONS),
            is_amount=True,
        ),
        "unused_balance": Figure(
            _("Unused balance, paid value"),
            _unused,
            is_amount=True,
        ),
        "safeguarded": Figure(_("Funds set aside"), _safeguarded, is_amount=True),
        "entitled_holders": Figure(_("Entitled holders"), _entitled_holders),
        "entitled_amount": Figure(
            _("Entitled amount"),
            lambda at: _posted(at, accounts=[LedgerAccount.REFUNDS_PAYABLE], kinds=["entitle"]),
            is_amount=True,
        ),
        "paid_amount": _refunded(_("Refunds paid"), LedgerAccount.BANK),
        "excluded_amount": _refunded(_("Refunds excluded"), LedgerAccount.UNCLAIMED),
        "unpaid_amount": Figure(
            _("Refunds not paid yet"),
            lambda at: _posted(at, accounts=OF_REFUNDS, kinds=REFUNDS),
            is_amount=True,
        ),
    }
)
