"""Cards that customers charged their wallets from: an issuer's token, never a card number."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from winddown.witness import witnessed

# What a token is made of. A number of a card is none, whatever stands between its digits.
ALPHABET = r"^[A-Za-z0-9._~:=+/-]{1,64}$"
DIGITS_OF_A_CARD = r"(^|[A-Za-z])[^A-Za-z0-9]*([0-9][^A-Za-z0-9]*){13,19}($|[A-Za-z])"


class FundingCard(models.Model):
    """The data by which an issuer finds the card: token, BIN and last four digits."""

    class Funding(models.TextChoices):
        CREDIT = "credit"
        DEBIT = "debit"

    card_ref = models.CharField(max_length=64, unique=True)
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="funding_cards"
    )
    issuer_code = models.CharField(max_length=20)
    brand = models.CharField(max_length=20)
    funding = models.CharField(max_length=10, choices=Funding.choices)
    card_token = models.CharField(max_length=64)
    bin = models.CharField(max_length=8)
    last4 = models.CharField(max_length=4)
    registered_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        triggers = witnessed()
        constraints = [
            models.CheckConstraint(
                condition=models.Q(last4__regex=r"^[0-9]{4}$"), name="last4_is_four_digits"
            ),
            models.CheckConstraint(
                condition=models.Q(bin__regex=r"^[0-9]{6,8}$"), name="bin_is_six_to_eight_digits"
            ),
            models.CheckConstraint(
                condition=models.Q(card_token__regex=ALPHABET)
                & ~models.Q(card_token__regex=DIGITS_OF_A_CARD),
                name="card_token_is_not_a_card_number",
            ),
        ]

    def __str__(self) -> str:
        return f"card {self.pk}"
