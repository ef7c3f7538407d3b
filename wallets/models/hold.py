"""Holds: a part of a wallet's paid value cannot be spent while there is a suspicion. The rest
can."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django_fsm import transition

from winddown.guards import columns_are_fixed
from winddown.machines.declare import Stateful, machine_guards, state_field
from winddown.models import TransitionLog
from winddown.witness import witnessed


class Hold(Stateful):
    """active -> released | taken: the held value is spendable again, or was clawed back."""

    class State(models.TextChoices):
        ACTIVE = "active"
        RELEASED = "released"
        TAKEN = "taken"

    KEEPING = (State.ACTIVE,)
    """The value is in the wallet and cannot be spent."""
    CLAWED_BACK = (State.TAKEN,)
    """The value was taken out of the wallet."""
    SPENDABLE_AGAIN = (State.RELEASED,)
    """The hold keeps nothing any more."""
    COVERED = (*KEEPING, *CLAWED_BACK)
    """What was suspected and is either still held or already taken."""

    wallet = models.ForeignKey("wallets.Wallet", on_delete=models.PROTECT, related_name="holds")
    amount_minor = models.BigIntegerField()
    state = state_field(State, initial=State.ACTIVE)
    reason = models.TextField(help_text="Never shown to the holder.")
    since = models.DateTimeField()
    held_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="Nobody, where a rule held it by itself.",
    )

    class Meta:
        default_permissions = ()
        triggers = [
            *machine_guards(),
            *witnessed(),
            columns_are_fixed("wallet_id", "amount_minor"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="hold_positive")
        ]

    def __str__(self) -> str:
        return f"hold {self.pk}"

    @transition(
        field="state",
        source="active",
        target="released",
        permission="wallets.release_wallet",
        custom={"system": True},
    )
    def release(self) -> None:
        """The value is spendable again."""

    @transition(
        field="state",
        source="active",
        target="taken",
        permission="wallets.release_wallet",
        custom={"system": True},
    )
    def take(self) -> None:
        """The value was clawed back out of the wallet."""


class HoldTransition(TransitionLog):
    pass
