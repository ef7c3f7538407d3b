"""The rules of the claims desk. Each version was adopted with its source, and the newest one is in
force."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from winddown.guards import append_only
from winddown.witness import witnessed

SAMPLE_EVERY = 20


def default_bands() -> list[list[int]]:
    """Returns the bands of the operator's own promise. No law sets any."""
    return [[30_000, 200], [100_000, 100], [1_000_000, 20]]


class ClaimTerms(models.Model):
    """How claims are judged. `tracing` decides which value a payment took whose payer nobody can
    name; every loss that rests on it keeps the version. `bands` says how many
    claims one person decides at once, by their amount; a claim above them is decided alone.
    """

    class Tracing(models.TextChoices):
        FIFO = "fifo"
        LIFO = "lifo"
        PROPORTIONAL = "proportional"

    tracing = models.CharField(
        max_length=12,
        choices=Tracing.choices,
        default=Tracing.LIFO,
        help_text="Which value an unattributed payment took: the oldest, the newest, or a share of"
        " each.",
    )
    bands = models.JSONField(
        default=default_bands,
        help_text="Pairs of the greatest amount, and how many claims of at most it are decided at once.",
    )
    sample_every = models.IntegerField(
        default=SAMPLE_EVERY, help_text="One of so many proposed claims is reviewed twice."
    )
    source = models.TextField(help_text="Who laid these rules down, and where.")
    adopted_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        triggers = [
            *append_only(),
            *witnessed(
                older=(
                    {
                        "bands": "'[[30000, 200], [100000, 100], [1000000, 20]]'::jsonb",
                        "sample_every": "20",
                    },
                )
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(tracing__in=["fifo", "lifo", "proportional"]),
                name="tracing_policy_is_known",
            ),
            models.CheckConstraint(condition=Q(sample_every__gt=0), name="sample_of_every_so_many"),
        ]

    def __str__(self) -> str:
        return f"rules of the claims desk of {self.adopted_at:%Y-%m-%d}"
