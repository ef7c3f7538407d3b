"""Claim numbers: what a letter carries to somebody whose login is gone, and the letters themselves."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from winddown.guards import columns_are_fixed, rows_are_kept
from winddown.witness import witnessed


class ClaimNumber(models.Model):
    """With the number and a code that goes elsewhere, its holder applies without a login.

    The number is not stored: it is derived from `key` with the site's secret, and found by its
    SHA-256. A holder has one living number. Its reference, which is `id` with two check digits,
    stands on paper and opens nothing.
    """

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    holder = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="claim_numbers"
    )
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the number.")
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(
        null=True, help_text="When another took its place, or staff ended it."
    )

    class Meta:
        default_permissions = ()
        triggers = [
            *witnessed(),
            rows_are_kept(),
            columns_are_fixed("key", "holder_id", "digest", "issued_at", "expires_at"),
            columns_are_fixed(
                "ended_at", once="OLD.ended_at IS NOT NULL", name="claim_number_ends_once"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["holder"],
                condition=Q(ended_at=None),
                name="one_living_claim_number_per_holder",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("issued_at")), name="claim_number_has_a_time"
            ),
        ]

    def __str__(self) -> str:
        return f"claim number {self.reference}"

    @property
    def reference(self) -> str:
        """Returns what the paper form shows: eight digits and two check digits."""
        return f"{self.pk:08d}{_check_digits(self.pk):02d}"

    @staticmethod
    def id_of(reference: str) -> int | None:
        """Returns the id of a reference as it was scanned or typed; None for a slip."""
        digits = "".join(reference.split())
        if not (digits.isascii() and digits.isdigit() and len(digits) == 10):
            return None
        number = int(digits[:8])
        return number if _check_digits(number) == int(digits[8:]) else None

    @property
    def subject(self) -> str:
        return f"claim_number:{self.pk}"


def _check_digits(number: int) -> int:
    """Returns the check digits of ISO/IEC 7064, MOD 97-10, as an IBAN has them."""
    return 98 - number * 100 % 97


class ClaimLetter(models.Model):
    """A letter to print: the number with the paper form or, where no other channel is known, the
    code that was asked for.
    """

    number = models.ForeignKey(ClaimNumber, on_delete=models.PROTECT, related_name="letters")
    link = models.OneToOneField(
        "accounts.OneTimeLink", null=True, on_delete=models.PROTECT, related_name="+"
    )
    queued_at = models.DateTimeField()
    letter_file = models.IntegerField(null=True, help_text="The file of letters that holds it.")

    class Meta:
        default_permissions = ()
        triggers = [
            *witnessed(),
            rows_are_kept(),
            columns_are_fixed("number_id", "link_id", "queued_at"),
            columns_are_fixed(
                "letter_file", once="OLD.letter_file IS NOT NULL", name="claim_letter_in_one_file"
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"], condition=Q(letter_file=None), name="claim_letters_to_print"
            ),
        ]

    def __str__(self) -> str:
        return f"letter {self.pk} of {self.number}"
