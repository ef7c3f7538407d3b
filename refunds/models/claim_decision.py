"""What a second person decides about fraud claims: one list, one digest."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from winddown.guards import append_only
from winddown.witness import witnessed


class ClaimDecision(models.Model):
    """One list of claims that a second person decides at once. The digest covers every claim's id
    and amount.

    The claims were found in one way (`found_by`) and each is of at most `up_to_minor`; without it
    they are above every band. `sampled` of them, which follow from `seed`, another supervisor
    reviews before.
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
    found_by = models.CharField(max_length=20, default="")
    up_to_minor = models.BigIntegerField(null=True)
    claims_max = models.IntegerField(default=CLAIMS_MAX)
    seed = models.CharField(max_length=64, default="")
    sampled = models.IntegerField(default=0)

    class Meta:
        default_permissions = ()
        triggers = [
            *append_only(),
            *witnessed(
                older=(
                    {
                        "found_by": "''",
                        "up_to_minor": "NULL",
                        "claims_max": "1000",
                        "seed": "''",
                        "sampled": "0",
                    },
                )
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(claims_count__gt=0, claims_count__lte=F("claims_max")),
                name="claim_list_within_its_band",
            ),
            models.CheckConstraint(
                condition=Q(sampled=0)
                | Q(sampled__gt=0, sampled__lte=F("claims_count"), seed__regex="^[0-9a-f]{64}$"),
                name="claim_sample_has_its_seed",
            ),
        ]

    def __str__(self) -> str:
        return f"decision {self.pk}: {self.verdict}"

    @property
    def subject(self) -> str:
        return f"claim_decision:{self.pk}"
