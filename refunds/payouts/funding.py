"""The funds set aside, and what they must cover: what the law asks for, and what is disputed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.db import connection
from django.db.models import Sum

from refunds.models import Payout, PayoutBatch
from wallets.models import LedgerAccount, Wallet
from winddown.errors import GuardNotMet, says
from winddown.models import Programme
from winddown.programme import jurisdictions
from winddown.registries import Registry

DISPUTED: Final[Registry[Callable[[], int]]] = Registry(
    "reserves for what is disputed",
    entries_are="returns what the funds must hold beside what is owed, in minor units, until people"
    " release it",
    owner=__name__,
)


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


def reserve_minor() -> int:
    """Returns what is kept for everything that is disputed."""
    return sum(reserve() for reserve in DISPUTED.values())


def needed_minor() -> int:
    """Returns what must be set aside: the share of what is owed that the law asks for, rounded up,
    and the reserve whole.
    """
    return deposit_for(owed_to_holders()) + reserve_minor()


def deposit_for(balance_minor: int) -> int:
    """Returns what the law asks to be secured of an unused balance: above its limit a share of it,
    rounded up (Payment Services Act art. 14; rule 44).
    """
    pack = jurisdictions.pack(Programme.current().jurisdiction)
    if balance_minor <= pack.number("deposit_above_minor"):
        return 0
    return -(-balance_minor * pack.number("deposit_percent") // 100)


def refuse_short(batch: PayoutBatch, action: str) -> None:
    """The funds set aside cover all refunds under way and the reserve. Raises `GuardNotMet` with
    what is missing. A file of compensations alone is paid from the operator's own money, and takes
    nothing of these funds.
    """
    refunds = Payout.objects.filter(entitlement__isnull=False, state__in=Payout.IN_FLIGHT)
    if not refunds.filter(batch=batch).exists():
        return
    under_way = refunds.aggregate(total=Sum("amount_minor", default=0))["total"]
    needed = int(under_way) + reserve_minor()
    funds = Programme.current().safeguarded_minor
    if funds < needed:
        raise GuardNotMet(
            action=action,
            why=says(
                "the funds set aside are {missing} short of the refunds under way and the reserve"
                " for what is disputed: report the funds, or release the reserve",
                missing=f"{needed - funds:,}",
            ),
        )
