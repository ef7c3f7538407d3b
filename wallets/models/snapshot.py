"""The closing snapshot: every wallet's balance at the end, sealed."""

from __future__ import annotations

from django.db import models

from winddown.guards import append_only


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
        triggers = append_only()

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
