"""What wallets add to the pages: the count of the ledger, its money lines, and a customer's balance
and movements.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from wallets.models import WALLET_ACCOUNTS, LedgerAccount, Payment, Posting, TopUp, Wallet
from wallets.models.ledger import funding_account
from winddown import words
from winddown.programme import declared
from winddown.site import panels
from winddown.site.panels import IN, LEFT, OUT, MoneyLine, Panel, Totals, money_line
from winddown.words import Text

MOVEMENTS_MAX = 10
WALLET = tuple(account.value for account in WALLET_ACCOUNTS)


# --- the money table ----------------------------------------------------------------------------


def count_ledger() -> Totals:
    """Returns the ledger's sums by kind and account, and the sums of what the wallets cache."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT j.kind, p.account, sum(p.amount_minor)::bigint"
            " FROM wallets_posting p JOIN wallets_journal j ON j.id = p.journal_id GROUP BY 1, 2"
        )
        postings = {(kind, account): amount for kind, account, amount in cursor.fetchall()}
        cursor.execute(
            "SELECT coalesce(sum(paid_minor), 0)::bigint, coalesce(sum(bonus_minor), 0)::bigint"
            " FROM wallets_wallet"
        )
        paid, bonus = cursor.fetchone()
    return Totals(postings=postings, balances={"paid": paid, "bonus": bonus})


def _topped_up(source: str) -> Callable[[Totals], int]:
    account = funding_account(source)
    return lambda totals: -totals.posted(accounts=(account,), kinds=("top_up",))


def _in_wallets(*kinds: str) -> Callable[[Totals], int]:
    return lambda totals: totals.posted(accounts=WALLET, kinds=kinds)


# The lines follow a wallet's value by the kind of journal that moved it. A kind without a line
# shows as a difference.
money_line("opening", _("Opening balance"), part=IN, order=10, amount=_in_wallets("opening"))


@panels.MONEY_LINES_OF.entry("top_up")
def top_ups_by_source() -> list[MoneyLine]:
    """Returns one line for each funding source."""
    return [
        MoneyLine(
            code=f"top_up:{source}",
            title=words.capability_title(f"top_up:{source}"),
            part=IN,
            order=20,
            amount=_topped_up(source),
        )
        for source in declared.sources()
    ]


money_line("payments", _("Payments"), part=OUT, order=10, amount=_in_wallets("pay", "reserve"))
money_line(
    "payments_undone",
    _("Payments reversed or void"),
    part=OUT,
    order=20,
    amount=_in_wallets("reverse", "settle"),
)
money_line(
    "clawed_back",
    _("Clawed back from thieves"),
    part=OUT,
    order=30,
    amount=_in_wallets("claw_back"),
)
money_line(
    "bonus_expired",
    _("Bonus value that ended with the service"),
    part=OUT,
    order=40,
    amount=lambda totals: -totals.posted(accounts=(LedgerAccount.BONUS_EXPIRED,)),
)
money_line(
    "transferred",
    _("Transferred to another issuer"),
    part=OUT,
    order=70,
    amount=lambda totals: -totals.posted(accounts=(LedgerAccount.TRANSFERRED,)),
)
money_line(
    "deposited",
    _("Deposited with the authority"),
    part=OUT,
    order=75,
    amount=lambda totals: -totals.posted(accounts=(LedgerAccount.DEPOSITED,)),
)
money_line(
    "wallets_paid",
    _("In the wallets, paid value"),
    part=LEFT,
    order=10,
    amount=lambda totals: totals.balances["paid"],
)
money_line(
    "wallets_bonus",
    _("In the wallets, bonus value"),
    part=LEFT,
    order=20,
    amount=lambda totals: totals.balances["bonus"],
)
panels.LEDGER_COUNTS.add("wallets", count_ledger)


# --- the customer's page ------------------------------------------------------------------------

_KINDS: dict[str, Promise] = {
    "opening": _("Opening balance"),
    "top_up": _("Top-up"),
    "pay": _("Payment"),
    "reserve": _("Payment"),
    "settle": _("Payment cancelled"),
    "reverse": _("Payment refunded by the shop"),
    "claw_back": _("Correction"),
    "entitle": _("Balance moved to your refund"),
}


@dataclass(frozen=True, slots=True)
class Movement:
    """One movement of a wallet, with its paid and bonus part."""

    at: dt.datetime
    title: Text
    paid_minor: int
    bonus_minor: int

    @property
    def amount_minor(self) -> int:
        return self.paid_minor + self.bonus_minor


@panels.HOME_PANELS.entry("balance", place=10)
def balance(customer: User) -> Panel:
    """Shows what the wallet holds, paid and bonus value apart, and its state; or that there is
    none.
    """
    wallet = Wallet.objects.filter(account=customer).first()
    if wallet is None:
        return Panel("wallets/_no_wallet.html")
    return Panel("wallets/_balance.html", {"wallet": wallet})


@panels.HOME_PANELS.entry("movements", place=80)
def movements(customer: User) -> Panel | None:
    """Shows the wallet's last movements."""
    if not Wallet.objects.filter(account=customer).exists():
        return None
    newest = movements_of(customer, most=MOVEMENTS_MAX)
    return Panel("wallets/_movements.html", {"movements": newest})


def movements_of(customer: User, *, most: int | None = None) -> list[Movement]:
    """Returns the movements of the customer's wallet, the newest first, or the newest `most`."""
    postings = (
        Posting.objects.filter(wallet__account=customer).select_related("journal").order_by("-pk")
    )
    # A movement has at most two postings of a wallet: of its paid and of its bonus value.
    return _by_journal(postings if most is None else postings[: 2 * most])[:most]


def movement_title(kind: str) -> Text:
    """Returns the name of a kind of journal."""
    return _KINDS.get(kind) or kind.replace("_", " ")


def _by_journal(postings: Iterable[Posting]) -> list[Movement]:
    """Returns one movement for the postings of one journal, the newest first."""
    grouped: dict[int, list[Posting]] = {}
    for posting in postings:
        grouped.setdefault(posting.journal_id, []).append(posting)
    found = [
        Movement(
            at=lines[0].journal.occurred_at,
            title=movement_title(lines[0].journal.kind),
            paid_minor=_sum(lines, LedgerAccount.WALLET_PAID),
            bonus_minor=_sum(lines, LedgerAccount.WALLET_BONUS),
        )
        for lines in grouped.values()
    ]
    return sorted(found, key=lambda movement: movement.at, reverse=True)


def _sum(lines: list[Posting], account: str) -> int:
    return sum(line.amount_minor for line in lines if line.account == account)


words.STATES.add(
    "wallet",
    {
        Wallet.State.ACTIVE: words.StateWord(_("Usable"), "on"),
        Wallet.State.CHARGE_FROZEN: words.StateWord(_("Usable, no top-up"), "on"),
        Wallet.State.HELD: words.StateWord(_("Being checked"), "wait"),
        Wallet.State.CLOSING: words.StateWord(_("Closing"), "wait"),
        Wallet.State.CLOSED: words.StateWord(_("Closed"), "off"),
        Wallet.State.HELD_CLOSED: words.StateWord(_("Closed, being checked"), "wait"),
        Wallet.State.ENTITLED: words.StateWord(_("Closed, refund due"), "run"),
        Wallet.State.HELD_ENTITLED: words.StateWord(_("Closed, being checked"), "wait"),
        Wallet.State.SETTLED: words.StateWord(_("Closed and settled"), "on"),
        Wallet.State.TRANSFERRED: words.StateWord(_("Transferred"), "on"),
        Wallet.State.DEPOSITED: words.StateWord(_("Deposited with the authority"), "on"),
        Wallet.State.EXCLUDED: words.StateWord(_("Closed, not claimed in time"), "off"),
    },
)
words.STATES.add(
    "top_up",
    {
        TopUp.State.AUTHORISED: words.StateWord(_("Authorised"), "wait"),
        TopUp.State.POSTED: words.StateWord(_("Posted"), "on"),
        TopUp.State.PENDING_REVERSAL: words.StateWord(_("To be reversed"), "wait"),
        TopUp.State.REVERSED: words.StateWord(_("Reversed"), "off"),
    },
)
words.STATES.add(
    "payment",
    {
        Payment.State.AUTHORISED: words.StateWord(_("Authorised"), "wait"),
        Payment.State.POSTED: words.StateWord(_("Posted"), "on"),
        Payment.State.VOIDED: words.StateWord(_("Voided"), "off"),
        Payment.State.REVERSED: words.StateWord(_("Reversed"), "off"),
    },
)
words.STEPS.add_all(
    {
        "withhold_authorised_top_ups": _("Withhold authorised top-ups"),
        "freeze_wallets": _("Freeze the wallets' charges"),
        "start_closing": _("Begin to close the wallets"),
        "settle_in_flight": _("Settle payments in flight"),
        "close_wallets": _("Close the wallets and seal balances"),
    }
)
words.PLAN_LINES.add_all(
    {
        "authorised_top_ups": _("Authorised top-ups"),
        "wallets_in_other_states": _("Wallets in other states"),
        "wallets_held": _("Wallets on hold"),
        "payments_in_flight": _("Payments in flight"),
        "in_flight": _("Payments in flight are"),
        "spend_ends_at": _("Payment ends at"),
    }
)
words.PLAN_VALUES.add_all(
    {
        "in_flight:capture": _("posted to their merchants"),
        "in_flight:void": _("given back to the wallets"),
    }
)
