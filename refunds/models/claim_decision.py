"""What a second person decides about fraud claims: one list, one digest."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from winddown.guards import append_only
from winddown.witness import witnessed


class ClaimDecision(models.Model):
    """One list of claims that a second person decides at once. The digest covers every claim's id
    and amount.
    """

    class Verdict(models.TextChoices):
        CONFIRM = "confirm"
        REJECT = "reject"

    CLAIMS_MAX = 1_000

    verdict = models.CharField(max_length=10, choices=Verdict.choices)
    maker = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64)
    claims_count = models.IntegerField()
    amount_minor = models.BigIntegerField()
    proposed_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        triggers = [*append_only(), *witnessed()]

    def __str__(self) -> str:
        return f"decision {self.pk}: {self.verdict}"

    @property
    def subject(self) -> str:
        return f"claim_decision:{self.pk}"
