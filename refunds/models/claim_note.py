"""What people at the claims desk note about a claim: whose it is, until when, and what was seen."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from refunds.models.claim import FraudClaim
from winddown.guards import append_only
from winddown.witness import witnessed


class ClaimNote(models.Model):
    """One line of the file of a claim. The newest of a kind holds."""

    class Kind(models.TextChoices):
        NOTE = "note"
        ASSIGNED = "assigned"
        DUE = "due"
        SNOOZED = "snoozed"
        ESCALATED = "escalated"
        LINK_SEEN = "link_seen"

    claim = models.ForeignKey(FraudClaim, on_delete=models.PROTECT, related_name="notes")
    kind = models.CharField(max_length=9, choices=Kind.choices)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        help_text="Whose work it is.",
    )
    until = models.DateTimeField(null=True)
    other = models.ForeignKey(
        FraudClaim,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The linked claim that was looked at.",
    )
    text = models.TextField(help_text="Why; staff write no names, addresses or numbers.")
    noted_at = models.DateTimeField()
    noted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )

    class Meta:
        default_permissions = ()
        triggers = [*append_only(), *witnessed()]
        constraints = [
            models.CheckConstraint(
                condition=(Q(kind="assigned") & Q(person__isnull=False))
                | (~Q(kind="assigned") & Q(person=None)),
                name="note_names_whose_work",
            ),
            models.CheckConstraint(
                condition=(Q(kind__in=["due", "snoozed"]) & Q(until__isnull=False))
                | (~Q(kind__in=["due", "snoozed"]) & Q(until=None)),
                name="note_has_its_time",
            ),
            models.CheckConstraint(
                condition=(Q(kind="link_seen") & Q(other__isnull=False) & ~Q(other=F("claim")))
                | (~Q(kind="link_seen") & Q(other=None)),
                name="note_names_the_linked_claim",
            ),
        ]

    def __str__(self) -> str:
        return f"note {self.pk} of claim {self.claim_id}"
