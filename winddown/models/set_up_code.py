"""The one-time code with which a page may begin the programme."""

from __future__ import annotations

from django.db import models

from winddown.guards import columns_are_fixed, rows_are_kept
from winddown.witness import witnessed


class SetUpCode(models.Model):
    """Only the digest of the code is stored. It opens the page once, before `expires_at`."""

    digest = models.CharField(max_length=64, unique=True)
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        triggers = [
            *witnessed(),
            rows_are_kept(),
            columns_are_fixed("digest", "issued_at", "expires_at"),
            columns_are_fixed("used_at", once="OLD.used_at IS NOT NULL", name="used_once"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(used_at=None) | models.Q(used_at__lt=models.F("expires_at")),
                name="set_up_code_used_in_time",
            ),
        ]

    def __str__(self) -> str:
        return f"set-up code {self.pk}"
