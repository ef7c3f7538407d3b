"""Documents of an application: which ones are asked for, what came in, and who checked it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from refunds.models.application import RefundApplication
from winddown.guards import columns_are_fixed, rows_are_kept
from winddown.witness import witnessed


class ApplicationDocument(models.Model):
    """asked -> received -> accepted | refused. A document that was refused is asked for again in a
    new row.

    The file is sealed in the row, where no web server finds it. Whoever brought it in does not check
    it.
    """

    class Applicant(models.TextChoices):
        HEIR = "heir"
        MINOR = "minor"
        COMPANY = "company"
        AGENT = "agent"
        GUARDIAN = "guardian"

    class Type(models.TextChoices):
        PDF = "application/pdf"
        PNG = "image/png"
        JPEG = "image/jpeg"

    BYTES_MAX = 5 * 2**20

    application = models.ForeignKey(
        RefundApplication, on_delete=models.PROTECT, related_name="documents"
    )
    applicant = models.CharField(max_length=8, choices=Applicant.choices)
    code = models.CharField(max_length=30, help_text="Of the list in the law of the programme.")
    source = models.CharField(max_length=200)
    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    content_sealed = models.BinaryField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)
    media_type = models.CharField(max_length=15, choices=Type.choices, blank=True)
    received_at = models.DateTimeField(null=True)
    received_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        help_text="The customer, or who took it in.",
    )
    checked_at = models.DateTimeField(null=True)
    checked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    accepted = models.BooleanField(null=True)

    class Meta:
        default_permissions = ()
        triggers = [
            *witnessed(),
            rows_are_kept(),
            columns_are_fixed(
                "application_id", "applicant", "code", "source", "asked_at", "asked_by_id"
            ),
            columns_are_fixed(
                "content_sealed",
                "sha256",
                "media_type",
                "received_at",
                "received_by_id",
                once="OLD.received_at IS NOT NULL",
                name="received_once",
            ),
            columns_are_fixed(
                "checked_at",
                "checked_by_id",
                "accepted",
                once="OLD.checked_at IS NOT NULL",
                name="checked_once",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["application", "code"],
                condition=~Q(accepted=False) | Q(accepted=None),
                name="document_asked_once",
            ),
            models.CheckConstraint(
                condition=Q(received_at=None, received_by=None, content_sealed=None, sha256="")
                | Q(
                    received_at__isnull=False,
                    received_by__isnull=False,
                    content_sealed__isnull=False,
                )
                & ~Q(sha256=""),
                name="document_received_whole",
            ),
            models.CheckConstraint(
                condition=Q(checked_at=None, checked_by=None, accepted=None)
                | Q(
                    checked_at__isnull=False,
                    checked_by__isnull=False,
                    accepted__isnull=False,
                    received_at__isnull=False,
                ),
                name="document_checked_after_receipt",
            ),
            models.CheckConstraint(
                condition=Q(checked_by=None) | ~Q(checked_by=F("received_by")),
                name="document_checked_by_another",
            ),
        ]

    def __str__(self) -> str:
        return f"document {self.pk} of application {self.application_id}"

    @property
    def subject(self) -> str:
        return f"document:{self.pk}"


def document_place(document_id: int) -> str:
    """Returns the place that the encryption of a document is bound to."""
    return f"refunds_applicationdocument/content/{document_id}"
