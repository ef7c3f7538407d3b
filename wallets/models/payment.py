"""Payments: value spent at a merchant. An authorised one is a reservation, which is posted or
voided exactly once."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django_fsm import transition

from winddown.guards import columns_are_fixed
from winddown.machines.declare import Stateful, machine_guards, state_field
from winddown.models import TransitionLog
from winddown.witness import witnessed

_FIXED = (
    "payment_ref",
    "wallet_id",
    "amount_minor",
    "paid_part_minor",
    "bonus_part_minor",
    "merchant_ref",
    "prefecture",
    "merchant_category",
    "occurred_at",
    "switch_version",
)


class Payment(Stateful):
    """authorised -> posted | voided; posted -> reversed.

    Bonus value is spent before paid value; `paid_part_minor` and `bonus_part_minor` say what this
    payment took.
    """

    class State(models.TextChoices):
        AUTHORISED = "authorised"
        POSTED = "posted"
        VOIDED = "voided"
        REVERSED = "reversed"

    IN_FLIGHT = (State.AUTHORISED,)
    """The value is reserved: it waits to be posted or voided."""
    TAKEN = (State.POSTED,)
    """The merchant has the value."""
    GIVEN_BACK = (State.VOIDED, State.REVERSED)
    """The value is in the wallet again."""
    SPENT = (*IN_FLIGHT, *TAKEN)
    """The value has left the wallet."""

    initial_states = (State.AUTHORISED, State.POSTED)

    payment_ref = models.CharField(max_length=64, unique=True)
    wallet = models.ForeignKey("wallets.Wallet", on_delete=models.PROTECT, related_name="payments")
    amount_minor = models.BigIntegerField()
    paid_part_minor = models.BigIntegerField()
    bonus_part_minor = models.BigIntegerField()
    merchant_ref = models.CharField(max_length=64)
    prefecture = models.CharField(max_length=20, blank=True)
    merchant_category = models.CharField(
        max_length=4,
        blank=True,
        help_text="What is sold there, by the codes of ISO 18245; empty where it is not known.",
    )
    state = state_field(State, initial=State.POSTED)
    occurred_at = models.DateTimeField()
    switch_version = models.IntegerField(null=True)

    class Meta:
        default_permissions = ()
        triggers = [
            *machine_guards(),
            columns_are_fixed(*_FIXED),
            *witnessed(*_FIXED),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payment_positive"),
            models.CheckConstraint(
                condition=Q(paid_part_minor__gte=0, bonus_part_minor__gte=0)
                & Q(amount_minor=F("paid_part_minor") + F("bonus_part_minor")),
                name="payment_parts_make_the_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"payment {self.pk}"

    @transition(
        field="state",
        source="authorised",
        target="posted",
        permission="wallets.settle_payment",
        custom={"system": True},
    )
    def post(self) -> None:
        """The merchant gets the value."""

    @transition(
        field="state",
        source="authorised",
        target="voided",
        permission="wallets.settle_payment",
        custom={"system": True},
    )
    def void(self) -> None:
        """The value is back in the wallet."""

    @transition(
        field="state",
        source="posted",
        target="reversed",
        permission="wallets.settle_payment",
        custom={"system": True},
    )
    def reverse(self) -> None:
        """The merchant gave the value back."""


class PaymentTransition(TransitionLog):
    pass
