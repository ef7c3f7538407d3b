"""What the operator's service has: ways to charge a wallet, other services that let people in, the
instruments that end, and the merchants that take them.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from winddown.guards import columns_are_fixed, rows_are_kept
from winddown.witness import witnessed

CODE = r"^[a-z][a-z0-9_]{0,14}[a-z0-9]$"
"""A code stands in file columns, in the codes of switches, and in accounts of the ledger."""


class FundingSource(models.Model):
    """A way to charge a wallet. Its switch is `top_up:<code>`, its ledger account `funding_<code>`.

    `kind` decides what follows from a charge: only a card names a card of the holder, a bonus fills
    the part of the wallet that is not refunded, and a thief's charge from a card or from points is
    a loss of its holder.
    """

    class Kind(models.TextChoices):
        CREDIT_CARD = "credit_card"
        DEBIT_CARD = "debit_card"
        BANK = "bank"
        CASH = "cash"
        POINTS = "points"
        BONUS = "bonus"

    OF_CARDS = (Kind.CREDIT_CARD, Kind.DEBIT_CARD)
    """The charge names a card, and the card's funding is the first word of the kind."""

    code = models.CharField(max_length=16, unique=True)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    title_en = models.CharField(max_length=60)
    title_ja = models.CharField(max_length=60)

    class Meta:
        default_permissions = ()
        ordering = ["pk"]
        triggers = [*witnessed(), rows_are_kept(), columns_are_fixed("code", "kind")]
        constraints = [
            models.CheckConstraint(condition=Q(code__regex=CODE), name="funding_source_code"),
            models.CheckConstraint(
                condition=Q(
                    kind__in=["credit_card", "debit_card", "bank", "cash", "points", "bonus"]
                ),
                name="funding_source_kind",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class LoginProvider(models.Model):
    """Another service that lets customers in. Its switch is `login_external:<code>`."""

    code = models.CharField(max_length=16, unique=True)
    title_en = models.CharField(max_length=60)
    title_ja = models.CharField(max_length=60)

    class Meta:
        default_permissions = ()
        ordering = ["pk"]
        triggers = [*witnessed(), rows_are_kept(), columns_are_fixed("code")]
        constraints = [
            models.CheckConstraint(
                condition=Q(code__regex=CODE) & ~Q(code__in=["password", "passkey"]),
                name="login_provider_code",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class Instrument(models.Model):
    """What holders bought and the programme ends. Its nature says which law protects them."""

    class Kind(models.TextChoices):
        PREPAID_WALLET = "prepaid_wallet"
        PREPAID_CARD = "prepaid_card"
        VOUCHER = "voucher"

    class Nature(models.TextChoices):
        THIRD_PARTY_PREPAID = "third_party_prepaid"
        OWN_BUSINESS_PREPAID = "own_business_prepaid"
        ELECTRONIC_MONEY = "electronic_money"

    code = models.CharField(max_length=16, unique=True)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    nature = models.CharField(max_length=24, choices=Nature.choices)
    title_en = models.CharField(max_length=100)
    title_ja = models.CharField(max_length=100)

    class Meta:
        default_permissions = ()
        ordering = ["pk"]
        triggers = [*witnessed(), rows_are_kept(), columns_are_fixed("code")]
        constraints = [
            models.CheckConstraint(condition=Q(code__regex=CODE), name="instrument_code"),
        ]

    def __str__(self) -> str:
        return self.code


class Merchant(models.Model):
    """A shop that takes the instrument. It is told of the end at its e-mail or postal address."""

    merchant_ref = models.CharField(
        max_length=64, unique=True, help_text="As payments name it in their files."
    )
    name = models.CharField(max_length=100)
    email = models.EmailField(blank=True)
    address = models.CharField(max_length=200, blank=True)
    paid_out = models.BooleanField(
        default=False, help_text="Whether everything that it is owed has been paid."
    )

    class Meta:
        default_permissions = ()
        ordering = ["merchant_ref"]
        triggers = [*witnessed(), rows_are_kept(), columns_are_fixed("merchant_ref")]
        constraints = [
            models.CheckConstraint(condition=~Q(email="", address=""), name="merchant_can_be_told"),
        ]

    def __str__(self) -> str:
        return f"merchant {self.pk}"
