"""Closing proofs: every wallet ended in exactly one bucket, and the ledger says the same."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from winddown.guards import append_only
from winddown.witness import witnessed


class ClosingProof(models.Model):
    """What every wallet came to at one instant. Amounts are in minor units of `currency`.

    `buckets` has for each bucket the number of its wallets and their sums, `ledger` what the ledger
    says about each sum. `rows_digest` is over one line per wallet, and `digest` over all of it, as
    it is signed. `marks` has the newest row of each table whose rows tell that something moved.
    """

    as_of = models.DateTimeField()
    rules = models.SmallIntegerField(help_text="Version of the rules that sorted the wallets.")
    currency = models.CharField(max_length=3)
    wallets = models.BigIntegerField()
    buckets = models.JSONField(help_text="By bucket: wallets and sums.")
    ledger = models.JSONField(help_text="By sum: what the ledger says.")
    rows_digest = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)
    marks = models.JSONField(help_text="By table: its newest row.")
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )

    class Meta:
        default_permissions = ()
        triggers = [*append_only(), *witnessed()]

    def __str__(self) -> str:
        return f"closing proof {self.pk}"

    @property
    def subject(self) -> str:
        return f"closing_proof:{self.pk}"
