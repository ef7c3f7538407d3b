"""The rules of the claims desk. Each version was adopted with its source, and the newest one is in
force."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from winddown.guards import append_only
from winddown.witness import witnessed


class ClaimTerms(models.Model):
    """How claims are judged. `tracing` decides which value a payment took whose payer nobody can
    name; every loss that rests on it keeps the version.
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
    source = models.TextField(help_text="Who laid these rules down, and where.")
    adopted_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        triggers = [*append_only(), *witnessed()]
        constraints = [
            models.CheckConstraint(
                condition=Q(tracing__in=["fifo", "lifo", "proportional"]),
                name="tracing_policy_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"rules of the claims desk of {self.adopted_at:%Y-%m-%d}"
