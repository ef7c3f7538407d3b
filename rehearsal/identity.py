"""The identity of the money, held against rows and ledger at the end of each day of the refund.

Entitled = owed + in flight + paid + transferred + excluded + deposited. Owed is what is not under
way, so it includes what is held and what came back.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from django.db import connection
from django.db.models import Min, Sum

from refunds.closing.buckets import REFUNDS
from refunds.models import Entitlement
from wallets.models import Journal, LedgerAccount

_State = Entitlement.State
OWED: Final = "owed"
# Where the ledger has each part, and the states of the entitlements in it. All others are owed.
_PARTS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    OWED: (LedgerAccount.REFUNDS_PAYABLE, ()),
    "in_flight": (LedgerAccount.PAYOUTS_IN_FLIGHT, (_State.PAYING,)),
    "paid": (LedgerAccount.BANK, (_State.PAID,)),
    "transferred": (LedgerAccount.TRANSFERRED, (_State.TRANSFERRED,)),
    "excluded": (LedgerAccount.UNCLAIMED, (_State.EXCLUDED,)),
    "deposited": (LedgerAccount.DEPOSITED, (_State.DEPOSITED,)),
}
_PART_OF: Final = {state: part for part, (_account, states) in _PARTS.items() for state in states}


class Identity:
    """Holds the identity from the first entitlement on. Amounts are in minor units."""

    def __init__(self) -> None:
        self._first_journal = (
            Journal.objects.filter(kind="entitle").aggregate(first=Min("pk"))["first"] or 0
        )

    def on(self, day: dt.date) -> dict[str, Any]:
        """Returns the parts as the ledger has them now, and what is wrong with them: by how much they
        miss what is entitled, and by how much the states of the entitlements differ from them.
        """
        entitled, by_state = self._rows()
        by_ledger = self._ledger()
        apart = sum(abs(by_ledger[part] - by_state[part]) for part in _PARTS)
        return {
            "day": day.isoformat(),
            "entitled": entitled,
            **by_ledger,
            "difference": abs(entitled - sum(by_ledger.values())) + apart,
        }

    def _rows(self) -> tuple[int, dict[str, int]]:
        found = dict.fromkeys(_PARTS, 0)
        sums = Entitlement.objects.values("state").annotate(sum=Sum("amount_minor"))
        for row in sums.order_by("state"):
            found[_PART_OF.get(row["state"], OWED)] += row["sum"]
        return sum(found.values()), found

    def _ledger(self) -> dict[str, int]:
        # The newest journals only: a day must not cost a look at every movement since the launch.
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT p.account, sum(p.amount_minor) FROM wallets_posting p"
                " JOIN wallets_journal j ON j.id = p.journal_id"
                " WHERE p.journal_id >= %s AND j.kind = ANY (%s) GROUP BY 1",
                [self._first_journal, list(REFUNDS)],
            )
            sums = {account: int(amount) for account, amount in cursor.fetchall()}
        return {part: sums.get(account, 0) for part, (account, _states) in _PARTS.items()}
