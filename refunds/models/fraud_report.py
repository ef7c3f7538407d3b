"""Reports of fraud: what a holder or somebody else said was strange, and what we asked about."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from refunds.models.claim import FraudClaim
from winddown.guards import columns_are_fixed, rows_are_kept
from winddown.witness import witnessed


class FraudReport(models.Model):
    """asked -> given. A report that nobody asked for is given at once.

    A claim keeps every report about its wallet. An enquiry has no claim: the customer names no
    movement, but something was strange. A report of a stolen card comes from a cardholder who has
    no wallet: the claim is that of the wallet that the card charged, which is the thief's.
    """

    class Kind(models.TextChoices):
        FRAUD = "fraud"
        ENQUIRY = "enquiry"
        STOLEN_CARD = "stolen_card"

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    channel = models.CharField(max_length=10, choices=FraudClaim.Channel.choices)
    claim = models.ForeignKey(
        FraudClaim, null=True, on_delete=models.PROTECT, related_name="reports"
    )
    customer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="fraud_reports",
        help_text="Whose report it is; nobody's that we know if a card was stolen.",
    )
    proposed = models.JSONField(default=list, help_text="The movements that we asked about.")
    asked_at = models.DateTimeField(null=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    movements = models.JSONField(default=list, help_text="Those that were not the holder's own.")
    noticed_on = models.DateField(null=True)
    words_sealed = models.BinaryField(null=True)
    fingerprint = models.CharField(
        max_length=64, blank=True, help_text="Keyed hash of what was said: twice is once."
    )
    network = models.CharField(max_length=64, blank=True, help_text="Keyed hash.")
    device = models.CharField(max_length=64, blank=True, help_text="Keyed hash.")
    given_at = models.DateTimeField(null=True)
    given_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    answer_sealed = models.BinaryField(null=True, help_text="Our answer to an enquiry.")
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )

    class Meta:
        default_permissions = ()
        triggers = [
            *witnessed(),
            rows_are_kept(),
            columns_are_fixed(
                "key",
                "kind",
                "channel",
                "claim_id",
                "customer_id",
                "proposed",
                "asked_at",
                "asked_by_id",
            ),
            columns_are_fixed(
                "movements",
                "noticed_on",
                "words_sealed",
                "fingerprint",
                "network",
                "device",
                "given_at",
                "given_by_id",
                once="OLD.given_at IS NOT NULL",
                name="given_once",
            ),
            columns_are_fixed(
                "answer_sealed",
                "answered_at",
                "answered_by_id",
                once="OLD.answered_at IS NOT NULL",
                name="answered_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"],
                condition=Q(kind="enquiry", answered_at=None),
                name="enquiries_without_an_answer",
            ),
            models.Index(fields=["device"], condition=~Q(device=""), name="reports_of_a_device"),
            models.Index(fields=["network"], condition=~Q(network=""), name="reports_of_a_network"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="enquiry", claim=None, customer__isnull=False)
                | Q(kind="fraud", claim__isnull=False, customer__isnull=False)
                | Q(kind="stolen_card", claim__isnull=False, customer=None),
                name="report_is_about_a_claim_or_asks",
            ),
            models.CheckConstraint(
                condition=Q(asked_at__isnull=False) | Q(given_at__isnull=False),
                name="report_was_asked_for_or_given",
            ),
            models.UniqueConstraint(
                fields=["claim", "customer", "fingerprint"],
                condition=~Q(fingerprint=""),
                nulls_distinct=False,
                name="one_report_says_it",
            ),
            models.UniqueConstraint(
                fields=["claim"],
                condition=Q(given_at=None),
                name="one_open_question_per_claim",
            ),
        ]

    def __str__(self) -> str:
        return f"report {self.pk}"

    @property
    def subject(self) -> str:
        return f"report:{self.pk}"

    @property
    def reference(self) -> str:
        """Returns what the customer is told: the reference of the claim, or that of the enquiry."""
        return self.claim.reference if self.claim is not None else f"EQ{self.pk:08d}"


def words_place(key: uuid.UUID) -> str:
    """Returns the place that the encryption of the own words is bound to."""
    return f"refunds_fraudreport/words/{key}"


def answer_place(key: uuid.UUID) -> str:
    """Returns the place that the encryption of our answer is bound to."""
    return f"refunds_fraudreport/answer/{key}"
