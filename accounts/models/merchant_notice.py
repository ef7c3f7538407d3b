"""What the merchants are told of the end, over which channel, and who of them has confirmed it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.expressions import RawSQL

from winddown.guards import append_only, columns_are_fixed, rows_are_kept
from winddown.witness import witnessed

_NOW = RawSQL("winddown_now()", ())


class MerchantMailing(models.Model):
    """One sending of a released text to merchants: to those who had not got it, or a reminder to
    those who had not confirmed it. The words stay as they were filled then.
    """

    announcement = models.ForeignKey(
        "winddown.Announcement", on_delete=models.PROTECT, related_name="+"
    )
    is_reminder = models.BooleanField()
    title_ja = models.TextField()
    body_ja = models.TextField()
    title_en = models.TextField()
    body_en = models.TextField()
    begun_at = models.DateTimeField(db_default=_NOW)
    begun_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        default_permissions = ()
        triggers = [*append_only(), *witnessed()]

    def __str__(self) -> str:
        return f"mailing {self.pk} to merchants"


class MerchantNotice(models.Model):
    """One merchant is told in one mailing over one channel. A mail that does not arrive leads to a
    letter, which is a new row.
    """

    class Channel(models.TextChoices):
        EMAIL = "email"
        LETTER = "letter"

    mailing = models.ForeignKey(MerchantMailing, on_delete=models.PROTECT, related_name="notices")
    merchant = models.ForeignKey("winddown.Merchant", on_delete=models.PROTECT, related_name="+")
    channel = models.CharField(max_length=10, choices=Channel.choices)
    message = models.OneToOneField(
        "accounts.Message", null=True, on_delete=models.PROTECT, related_name="merchant_notice"
    )
    instead_of = models.OneToOneField(
        "self", null=True, on_delete=models.PROTECT, related_name="instead"
    )
    queued_at = models.DateTimeField(db_default=_NOW)
    letter_file = models.IntegerField(null=True, help_text="The file of letters that holds it.")

    class Meta:
        default_permissions = ()
        triggers = [
            *witnessed(),
            rows_are_kept(),
            columns_are_fixed(
                "mailing_id", "merchant_id", "channel", "message_id", "instead_of_id", "queued_at"
            ),
            columns_are_fixed(
                "letter_file", once="OLD.letter_file IS NOT NULL", name="in_one_letter_file"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["mailing", "merchant"],
                condition=Q(instead_of=None),
                name="one_notice_per_merchant_and_mailing",
            ),
            models.CheckConstraint(
                condition=Q(channel="letter", message=None)
                | (Q(channel="email", letter_file=None) & ~Q(message=None)),
                name="merchant_notice_is_a_mail_or_a_letter",
            ),
        ]

    def __str__(self) -> str:
        return f"notice {self.pk} to a merchant ({self.channel})"


class MerchantReceipt(models.Model):
    """A merchant has confirmed one version of the notice: by the link in its mail, or in another way
    that a member of staff recorded with its evidence.
    """

    class Channel(models.TextChoices):
        LINK = "link"
        TELEPHONE = "telephone"
        VISIT = "visit"
        FAX = "fax"
        POST = "post"

    BY_STAFF = (Channel.TELEPHONE, Channel.VISIT, Channel.FAX, Channel.POST)

    merchant = models.ForeignKey("winddown.Merchant", on_delete=models.PROTECT, related_name="+")
    announcement = models.ForeignKey(
        "winddown.Announcement", on_delete=models.PROTECT, related_name="+"
    )
    channel = models.CharField(max_length=10, choices=Channel.choices)
    received_at = models.DateTimeField()
    link = models.OneToOneField(
        "accounts.OneTimeLink", null=True, on_delete=models.PROTECT, related_name="+"
    )
    evidence = models.ForeignKey(
        "winddown.NoticeEvidence", null=True, on_delete=models.PROTECT, related_name="+"
    )
    recorded_at = models.DateTimeField(db_default=_NOW)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        default_permissions = ()
        triggers = [*append_only(), *witnessed()]
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "announcement"], name="one_receipt_per_merchant_and_version"
            ),
            models.CheckConstraint(
                condition=Q(channel="link", link__isnull=False, evidence=None, recorded_by=None)
                | Q(
                    channel__in=["telephone", "visit", "fax", "post"],
                    link=None,
                    evidence__isnull=False,
                    recorded_by__isnull=False,
                ),
                name="receipt_has_its_proof",
            ),
            models.CheckConstraint(
                condition=Q(received_at__lte=F("recorded_at")), name="receipt_has_happened"
            ),
        ]

    def __str__(self) -> str:
        return f"receipt {self.pk} of a merchant ({self.channel})"
