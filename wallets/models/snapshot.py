"""The closing snapshot: every wallet's balance at the end, sealed."""

from __future__ import annotations

from typing import Final

from django.db import models

from wallets.models.hold import Hold
from winddown.guards import append_only
from winddown.witness import witnessed

SEALED_LINES: Final = """
    SELECT coalesce(sum(paid), 0) AS paid, coalesce(sum(bonus), 0) AS bonus,
           coalesce(sum(held), 0) AS held,
           winddown_rows_digest(string_agg(digest, ',' ORDER BY slice)) AS digest
    FROM (
        SELECT wallet_id / 10000 AS slice, sum(paid_minor) AS paid, sum(bonus_minor) AS bonus,
               sum(held_minor) AS held,
               winddown_rows_digest(string_agg(
                   concat_ws(':', wallet_id, paid_minor, bonus_minor, held_minor), ','
                   ORDER BY wallet_id
               )) AS digest
        FROM wallets_snapshotline GROUP BY 1
    ) AS slices
"""
"""SQL of what a snapshot says about its lines: sums, and a digest over each ten thousand of them."""


def taken_since_seal(wallets: str) -> str:
    """Returns SQL of wallet and amount: what was clawed back since the balances were sealed, out of
    the wallets whose ids the SQL `wallets` gives.
    """
    return f"""
        SELECT h.wallet_id, sum(h.amount_minor)::bigint AS amount_minor
        FROM wallets_hold h JOIN wallets_holdtransition t
            ON t.subject_id = h.id AND t.target = '{Hold.State.TAKEN}'
        WHERE h.wallet_id IN ({wallets})
            AND t.at > (SELECT max(sealed_at) FROM wallets_snapshot)
        GROUP BY 1
    """


class Snapshot(models.Model):
    """The sealed totals of all closing balances at `as_of`, with the digest over every line."""

    as_of = models.DateTimeField(unique=True)
    wallets = models.BigIntegerField()
    paid_minor = models.BigIntegerField()
    bonus_minor = models.BigIntegerField()
    held_minor = models.BigIntegerField()
    digest = models.CharField(max_length=64, unique=True)
    run_id = models.BigIntegerField()
    sealed_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        triggers = [*append_only(), *witnessed()]

    def __str__(self) -> str:
        return f"snapshot {self.as_of:%Y-%m-%d} {self.digest[:12]}"


class SnapshotLine(models.Model):
    """One wallet's closing balance. Written by the closing run, never changed."""

    wallet = models.OneToOneField(
        "wallets.Wallet", on_delete=models.PROTECT, primary_key=True, db_constraint=False
    )
    run_id = models.BigIntegerField()
    paid_minor = models.BigIntegerField()
    bonus_minor = models.BigIntegerField()
    held_minor = models.BigIntegerField()

    class Meta:
        default_permissions = ()
        triggers = append_only()

    def __str__(self) -> str:
        return f"closing balance of wallet {self.wallet_id}"
