"""The outbox: messages to one person over one channel."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q


class Message(models.Model):
    """A message. It is owed from the commit of its event until it is sent or given up. The address
    is sealed, and is deleted when the message ended. A message with a one-time link does not hold
    the link's secret. The secret is derived again when the message is handed over. A sender takes a
    lease first. A message whose sender was killed goes out later, perhaps twice. Both copies carry
    the same link and the same message id.
    """

    class Kind(models.TextChoices):
        RECOVER = "recover"
        SIGN_UP = "sign_up"
        ACCOUNT_KNOWN = "account_known"
        CASE_APPROVED = "case_approved"
        CASE_REJECTED = "case_rejected"
        CASE_LINK = "case_link"
        ACCESS_CHANGED = "access_changed"
        BROWSER = "browser"
        VERIFY_ADDRESS = "verify_address"
        REFUND_REMINDER = "refund_reminder"
        MERCHANT_NOTICE = "merchant_notice"
        PAYEE_CHANGED = "payee_changed"
        VOUCHER_ISSUED = "voucher_issued"
        VOUCHER_REMINDER = "voucher_reminder"
        APPLICATION_IN = "application_in"
        DOCUMENTS_ASKED = "documents_asked"
        CLAIM_CODE = "claim_code"
        CONFIRM_CODE = "confirm_code"
        ARRIVAL_ASKED = "arrival_asked"
        FRAUD_REPORTED = "fraud_reported"
        FRAUD_ASKED = "fraud_asked"
        FRAUD_DECIDED = "fraud_decided"

    BULK = (
        Kind.REFUND_REMINDER,
        Kind.MERCHANT_NOTICE,
        Kind.VOUCHER_ISSUED,
        Kind.VOUCHER_REMINDER,
        Kind.ARRIVAL_ASKED,
        Kind.FRAUD_ASKED,
        Kind.FRAUD_DECIDED,
    )
    """What is sent to many. What one person waits for goes before it."""

    class Channel(models.TextChoices):
        EMAIL = "email"
        PHONE = "phone"

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    channel = models.CharField(max_length=10, choices=Channel.choices)
    to_sealed = models.BinaryField(null=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        db_constraint=False,
        related_name="+",
    )
    link = models.ForeignKey(
        "accounts.OneTimeLink", null=True, on_delete=models.PROTECT, related_name="messages"
    )
    language = models.CharField(max_length=5)
    facts = models.JSONField(default=dict, help_text="What its text names; nothing personal.")
    queued_at = models.DateTimeField()
    lease_until = models.DateTimeField(
        null=True, help_text="Real time: nobody else sends it, or tries again, before."
    )
    attempts = models.SmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    given_up_at = models.DateTimeField(null=True)
    bounced_at = models.DateTimeField(
        null=True, help_text="A mail server took it and sent it back later."
    )

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(
                fields=["channel", "id"],
                condition=Q(sent_at=None, given_up_at=None),
                name="messages_owed",
            ),
            models.Index(
                fields=["id"],
                condition=Q(sent_at=None, given_up_at=None, channel="email")
                & ~Q(kind__in=["refund_reminder", "merchant_notice"]),
                name="messages_owed_to_one",
            ),
            BrinIndex(fields=["queued_at"], autosummarize=True),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(sent_at=None) | Q(given_up_at=None), name="message_ends_once"
            ),
            models.CheckConstraint(
                condition=Q(sent_at=None, given_up_at=None) | Q(to_sealed=None),
                name="address_of_an_ended_message_is_wiped",
            ),
            models.CheckConstraint(
                condition=Q(channel__in=["email", "phone"]), name="message_channel_known"
            ),
        ]

    def __str__(self) -> str:
        return f"message {self.pk} ({self.kind})"
