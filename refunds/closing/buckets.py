"""In which bucket each wallet ended, counted in the rows, and what the ledger says about the sums."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from refunds.models import Entitlement
from wallets.models import LedgerAccount, Wallet
from wallets.models.snapshot import taken_since_seal

# Compensations of losses use the same accounts, and were never in a wallet.
REFUNDS: Final = ("entitle", "refund_book", "refund_settle", "refund_return", "refund_exclude",
           "refund_reinstate", "refund_take_back", "refund_transfer", "refund_deposit",
           "refund_come_back")  # fmt: skip
RULES: Final = 1
OPEN: Final = "open"
EMPTY: Final = "empty"
CLAWED_BACK: Final = "clawed_back"
SHOWN_MAX: Final = 5
_State = Entitlement.State

# The sums of what ended, and the control account that has each.
ENDS: Final[dict[str, tuple[str, str]]] = {
    "paid": (_State.PAID, LedgerAccount.BANK),
    "transferred": (_State.TRANSFERRED, LedgerAccount.TRANSFERRED),
    "deposited": (_State.DEPOSITED, LedgerAccount.DEPOSITED),
    "excluded": (_State.EXCLUDED, LedgerAccount.UNCLAIMED),
}
BUCKETS: Final = (*ENDS, CLAWED_BACK, EMPTY, OPEN)
"""A wallet that ended in several ways is in the last of these that it ended in by a refund. `empty`
held nothing at the close. `open` is no end: something is still owed, held, or does not add up."""
SUMS: Final = ("sealed", *ENDS, CLAWED_BACK, "left")
"""The sums of a bucket. `sealed` is the paid value at the close; the others come to it."""


@dataclass(frozen=True, slots=True)
class Counted:
    """All wallets in their buckets. `ledger` has what the ledger says about each of `SUMS`, and
    `open_wallets` the first that have not ended.
    """

    wallets: int
    buckets: dict[str, dict[str, int]]
    ledger: dict[str, int]
    rows_digest: str
    open_wallets: list[int]

    def total(self, name: str) -> int:
        return total(self.buckets, name)

    def differences(self) -> dict[str, tuple[int, int]]:
        """Returns what the rows and the ledger say, where they differ."""
        return {
            name: (self.total(name), self.ledger[name])
            for name in SUMS
            if self.total(name) != self.ledger[name]
        }


def total(buckets: Mapping[str, Mapping[str, int]], name: str) -> int:
    """Returns the sum of that name over all buckets."""
    return sum(bucket[name] for bucket in buckets.values())


_ENDED = ", ".join(
    f"coalesce(sum(e.amount_minor) FILTER (WHERE e.state = '{state}'), 0) AS {name}"
    for name, (state, _account) in ENDS.items()
)
_OF_REFUNDS = ", ".join(f"coalesce(e.{name}, 0) AS {name}" for name in ENDS)
_COME_TO = " + ".join((*ENDS, CLAWED_BACK))
# A late end stands before an earlier one, as the wallet's own state does.
_IN_ORDER = " ".join(f"WHEN {name} > 0 THEN '{name}'" for name in reversed(ENDS))
_STATES = " ".join(
    f"WHEN '{name}' THEN '{state}'"
    for name, state in {
        **dict.fromkeys(("paid", CLAWED_BACK, EMPTY), Wallet.State.SETTLED),
        "transferred": Wallet.State.TRANSFERRED,
        "deposited": Wallet.State.DEPOSITED,
        "excluded": Wallet.State.EXCLUDED,
    }.items()
)
# Slices of ten thousand keep the memory of the digest flat, as in the digest of the snapshot.
_WALLETS = f"""
    WITH entitled AS (
        SELECT e.wallet_id, {_ENDED}, sum(e.amount_minor) AS amount,
            coalesce(sum(e.amount_minor) FILTER (WHERE e.state <> ALL (%(ended)s)), 0) AS owed
        FROM refunds_entitlement e GROUP BY 1
    ), taken AS ({taken_since_seal("SELECT id FROM wallets_wallet")}),
    each AS (
        SELECT w.id, w.state, l.paid_minor AS sealed, {_OF_REFUNDS},
            coalesce(t.amount_minor, 0) AS {CLAWED_BACK}, coalesce(e.owed, 0) AS owed,
            w.paid_minor + coalesce(e.owed, 0) AS left_minor, w.bonus_minor
        FROM wallets_wallet w
        LEFT JOIN wallets_snapshotline l ON l.wallet_id = w.id
        LEFT JOIN entitled e ON e.wallet_id = w.id
        LEFT JOIN taken t ON t.wallet_id = w.id
    ), ended AS (
        SELECT *, CASE {_IN_ORDER} WHEN {CLAWED_BACK} > 0 THEN '{CLAWED_BACK}'
            ELSE '{EMPTY}' END AS reached
        FROM each
    ), sorted AS (
        SELECT *, CASE WHEN left_minor = 0 AND bonus_minor = 0 AND sealed = {_COME_TO}
            AND state = CASE reached {_STATES} END THEN reached ELSE '{OPEN}' END AS bucket
        FROM ended
    )
"""  # noqa: S608  our own names
_LINE = ", ".join(("id", "bucket", "coalesce(sealed, 0)", *ENDS, CLAWED_BACK, "left_minor"))
_COUNT = f"""{_WALLETS}
    SELECT
        (SELECT jsonb_object_agg(bucket, counted) FROM (
            SELECT bucket, jsonb_build_object('wallets', count(*),
                'sealed', coalesce(sum(sealed), 0),
                {", ".join(f"'{name}', sum({name})" for name in (*ENDS, CLAWED_BACK))},
                'left', sum(left_minor)) AS counted
            FROM sorted GROUP BY bucket) AS counts),
        (SELECT winddown_rows_digest(string_agg(digest, ',' ORDER BY slice)) FROM (
            SELECT id / 10000 AS slice, winddown_rows_digest(string_agg(
                concat_ws(':', {_LINE}), ',' ORDER BY id)) AS digest
            FROM sorted GROUP BY 1) AS slices),
        ARRAY(SELECT id FROM sorted WHERE bucket = '{OPEN}' ORDER BY id LIMIT {SHOWN_MAX})
"""  # noqa: S608  our own names
_POSTED = """
    SELECT p.account, coalesce(sum(p.amount_minor) FILTER (WHERE j.kind = ANY (%(refunds)s)), 0),
        coalesce(sum(p.amount_minor), 0),
        coalesce(-sum(p.amount_minor) FILTER (WHERE j.kind = 'claw_back'
            AND j.recorded_at > (SELECT max(sealed_at) FROM wallets_snapshot)), 0)
    FROM wallets_posting p JOIN wallets_journal j ON j.id = p.journal_id
    GROUP BY 1
"""


def counted() -> Counted:
    """Returns every wallet in its bucket now, and what the ledger says. The caller keeps the rows
    from changing between the statements.
    """
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"ended": [state for state, _account in ENDS.values()]})
        told, digest, open_wallets = cursor.fetchone()
        found = json.loads(told or "{}")
        cursor.execute(_POSTED, {"refunds": list(REFUNDS)})
        posted = {account: amounts for account, *amounts in cursor.fetchall()}
        cursor.execute("SELECT coalesce(sum(paid_minor), 0) FROM wallets_snapshot")
        (sealed,) = cursor.fetchone()
    buckets = {name: found[name] for name in BUCKETS if name in found}
    return Counted(
        wallets=sum(bucket["wallets"] for bucket in buckets.values()),
        buckets=buckets,
        ledger=_ledger(posted, sealed=int(sealed)),
        rows_digest=digest or "",
        open_wallets=open_wallets,
    )


def _ledger(posted: dict[str, Any], *, sealed: int) -> dict[str, int]:
    """Returns what the ledger says about each sum, and the sealed snapshot about the first."""
    nothing = (0, 0, 0)

    def of_refunds(account: str) -> int:
        return int(posted.get(account, nothing)[0])

    return {
        "sealed": sealed,
        **{name: of_refunds(account) for name, (_state, account) in ENDS.items()},
        CLAWED_BACK: int(posted.get(LedgerAccount.WALLET_PAID, nothing)[2]),
        "left": int(posted.get(LedgerAccount.WALLET_PAID, nothing)[1])
        + of_refunds(LedgerAccount.REFUNDS_PAYABLE)
        + of_refunds(LedgerAccount.PAYOUTS_IN_FLIGHT),
    }
