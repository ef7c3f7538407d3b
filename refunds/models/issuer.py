"""Card issuers: when each closes its bills, takes the money, and how fast it answers."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.models.person_key import append_only_until_deleted
from winddown.personal_data import HOUSE, DataClass
from winddown.witness import witnessed


class Issuer(models.Model):
    """A card issuer as configuration. Each term has a source, and is an assumption until the issuer
    confirms it.
    """

    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=100)
    closes_on_day = models.SmallIntegerField(
        help_text="Day of the month that ends a bill; 31 is the last day."
    )
    pays_on_day = models.SmallIntegerField(
        help_text="Day of the following month that the cardholder is debited."
    )
    stop_before_days = models.SmallIntegerField(
        help_text="Days before the debit until which it can be stopped."
    )
    margin_days = models.SmallIntegerField(
        default=2, help_text="How much earlier we want to have asked."
    )
    answer_days = models.SmallIntegerField(
        default=5, help_text="Bank business days after which no answer is overdue."
    )
    source = models.TextField()

    class Meta:
        default_permissions = ()
        triggers = witnessed()
        constraints = [
            models.CheckConstraint(
                condition=Q(closes_on_day__range=(1, 31), pays_on_day__range=(1, 31)),
                name="issuer_days_of_a_month",
            ),
            models.CheckConstraint(
                condition=Q(stop_before_days__gte=0, margin_days__gte=0, answer_days__gt=0),
                name="issuer_days_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return self.code


FILE_BLANK = {"content": "''"}
"""What takes the place of a file with cards of many people, when it was deleted."""


class IssuerFile(models.Model):
    """One file that went to an issuer or came from one, frozen with its digest (rule 25)."""

    class Direction(models.TextChoices):
        ASK = "ask"
        ANSWER = "answer"

    issuer = models.ForeignKey(Issuer, on_delete=models.PROTECT, related_name="files")
    direction = models.CharField(max_length=10, choices=Direction.choices)
    sequence = models.IntegerField()
    sha256 = models.CharField(max_length=64)
    content = models.TextField()
    rows = models.IntegerField()
    amount_minor = models.BigIntegerField()
    at = models.DateTimeField()
    actor_id = models.BigIntegerField(null=True)

    class Meta:
        default_permissions = ()
        triggers = [
            *append_only_until_deleted(
                FILE_BLANK, whose=str(HOUSE), data_class=DataClass.CLAIMS_EVIDENCE
            ),
            *witnessed(),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["issuer", "direction", "sequence"], name="one_issuer_file_per_sequence"
            ),
            models.UniqueConstraint(
                fields=["direction", "sha256"], name="one_issuer_file_per_content"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.issuer_id} {self.direction} {self.sequence}"
