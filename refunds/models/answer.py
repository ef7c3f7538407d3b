"""The bank's answers on their way into the books: files that were uploaded, and lines that are judged."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from winddown.guards import append_only
from winddown.witness import witnessed


class UploadedAnswer(models.Model):
    """A file of the bank as somebody uploaded it, encrypted because it has account numbers. The same
    bytes are there once. What became of it says the `BankFile` of the same hash.
    """

    BYTES_MAX = 8 * 2**20
    """About 65,000 lines. A command books a larger file."""

    sha256 = models.CharField(max_length=64, unique=True)
    content_sealed = models.BinaryField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        triggers = [*append_only(), *witnessed()]

    def __str__(self) -> str:
        return f"uploaded answer {self.sha256[:12]}"


def content_place(sha256: str) -> str:
    """Returns the place that the encryption of an uploaded file is bound to."""
    return f"refunds_uploadedanswer/content/{sha256}"


class AnswerLine(models.Model):
    """A line of the one answer that is judged now. What the bank does not say is empty or zero.

    The table is empty after each transaction, and its rows are not kept in the database's own log.
    """

    number = models.IntegerField(primary_key=True)
    reference = models.CharField(max_length=35)
    sequence = models.IntegerField(null=True)
    payout_id = models.BigIntegerField(null=True)
    payee_id = models.BigIntegerField(null=True)
    fingerprint = models.CharField(max_length=64, db_default="")
    name = models.CharField(max_length=140, db_default="")
    amount_minor = models.BigIntegerField(db_default=0)
    code = models.CharField(max_length=24, db_default="")
    said = models.CharField(
        max_length=8, db_default="", help_text="How the bank says it, where it is no final word."
    )
    value_mmdd = models.CharField(max_length=4, db_default="")
    paid_from = models.CharField(max_length=34, db_default="")
    verdict = models.CharField(max_length=20, db_default="")
    again = models.BooleanField(db_default=False)
    batch_id = models.BigIntegerField(null=True)
    entitlement_id = models.BigIntegerField(null=True)
    remedy_id = models.BigIntegerField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"line {self.number}"
