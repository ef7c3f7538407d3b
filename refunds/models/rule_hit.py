"""Why a wallet is suspected: the rows that a detection rule found."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from refunds.models.claim import FraudClaim
from winddown.guards import append_only
from winddown.witness import witnessed


class RuleHit(models.Model):
    """Why a wallet is suspected: the rule in its version, and the ids of the rows that made it hit.

    A hit belongs to the claim that is worked on. A hit that is too weak for a claim is only a
    suspicion and belongs to the wallet.
    """

    claim = models.ForeignKey(FraudClaim, null=True, on_delete=models.PROTECT, related_name="hits")
    wallet = models.ForeignKey(
        "wallets.Wallet", null=True, on_delete=models.PROTECT, related_name="suspicions"
    )
    rule = models.ForeignKey(
        "accounts.DetectionRule", on_delete=models.PROTECT, related_name="hits"
    )
    evidence = models.JSONField(help_text="Ids and counts only, no personal data.")
    hit_at = models.DateTimeField(help_text="When the last row of the evidence happened.")
    found_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        triggers = [*append_only(), *witnessed()]
        constraints = [
            models.UniqueConstraint(fields=["claim", "rule"], name="one_hit_per_claim_and_rule"),
            models.UniqueConstraint(
                fields=["wallet", "rule", "hit_at"], name="one_suspicion_per_wallet_rule_and_time"
            ),
            models.CheckConstraint(
                condition=Q(claim__isnull=True, wallet__isnull=False)
                | Q(claim__isnull=False, wallet__isnull=True),
                name="hit_of_a_claim_or_a_wallet",
            ),
        ]

    def __str__(self) -> str:
        return f"hit {self.pk}"
