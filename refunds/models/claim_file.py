"""Files that show what happened: what a customer or somebody on the staff keeps with a claim."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from refunds.models.claim import FraudClaim
from winddown.guards import append_only
from winddown.witness import witnessed


class ClaimFile(models.Model):
    """A file with its type, size and SHA-256, sealed in the row, where no web server finds it."""

    class Type(models.TextChoices):
        PDF = "application/pdf"
        PNG = "image/png"
        JPEG = "image/jpeg"
        CSV = "text/csv"
        TEXT = "text/plain"

    BYTES_MAX = 5 * 2**20
    FILES_MAX = 20
    """So many of one claim, from everybody together."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    claim = models.ForeignKey(FraudClaim, on_delete=models.PROTECT, related_name="files")
    media_type = models.CharField(max_length=15, choices=Type.choices)
    size = models.IntegerField(help_text="Bytes.")
    sha256 = models.CharField(max_length=64)
    content_sealed = models.BinaryField()
    given_at = models.DateTimeField()
    given_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )

    class Meta:
        default_permissions = ()
        triggers = [*append_only(), *witnessed()]
        constraints = [
            models.UniqueConstraint(fields=["claim", "sha256"], name="one_file_of_a_claim"),
            models.CheckConstraint(
                condition=Q(size__gt=0, size__lte=5 * 2**20), name="claim_file_has_a_size"
            ),
        ]

    def __str__(self) -> str:
        return f"file {self.pk} of claim {self.claim_id}"

    @property
    def subject(self) -> str:
        return f"claim_file:{self.pk}"

    @property
    def name(self) -> str:
        """Returns our own name: what somebody typed is kept nowhere."""
        endings = {"text/csv": "csv", "text/plain": "txt", "image/jpeg": "jpg"}
        ending = endings.get(self.media_type, self.media_type.partition("/")[2])
        return f"claim-{self.claim_id}-file-{self.pk}.{ending}"


def file_place(key: uuid.UUID) -> str:
    """Returns the place that the encryption of the file is bound to."""
    return f"refunds_claimfile/content/{key}"
