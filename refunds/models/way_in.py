"""How a thief came in: what the logs say about the sign-in and the thirty days before it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from refunds.models.claim import FraudClaim
from winddown.guards import append_only
from winddown.witness import witnessed


class WayIn(models.Model):
    """What one search found about the fraudulent sign-in of a claim. The newest row of a claim holds.

    `found` has by log the ids of the account's events in the thirty days before, the oldest first.
    `gaps` has by log the spans of that time for which the log was not known to be complete. Where a
    log has neither, nothing happened there.
    """

    class Way(models.TextChoices):
        PROVIDER = "provider"
        CONTACT_CHANGE = "contact_change"
        RESET = "reset"
        LINK = "link"
        GUESSED = "guessed"
        TOKEN = "token"  # noqa: S105
        PASSKEY = "passkey"
        PASSWORD = "password"  # noqa: S105
        NOT_FOUND = "not_found"

    class Basis(models.TextChoices):
        RULE = "rule"
        LATEST = "latest"
        NONE = "none"

    claim = models.ForeignKey(FraudClaim, on_delete=models.PROTECT, related_name="ways_in")
    way = models.CharField(max_length=16, choices=Way.choices)
    basis = models.CharField(
        max_length=8,
        choices=Basis.choices,
        help_text="Whether a rule named the sign-in, or it is the latest before the loss.",
    )
    event_id = models.BigIntegerField(null=True, help_text="The sign-in among the events.")
    happened_at = models.DateTimeField(help_text="Of the sign-in, or of the loss without one.")
    found = models.JSONField(help_text="Ids only, no personal data.")
    gaps = models.JSONField()
    searched_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        triggers = [*append_only(), *witnessed()]
        constraints = [
            models.CheckConstraint(
                condition=Q(event_id=None, way="not_found", basis="none")
                | (Q(event_id__isnull=False) & ~Q(way="not_found") & ~Q(basis="none")),
                name="way_in_of_a_sign_in",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.way} into claim {self.claim_id}"
