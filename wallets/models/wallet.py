"""Wallets: the holder's stored value, as cached sums of the ledger under database checks."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django_fsm import transition

from winddown.guards import columns_are_fixed
from winddown.machines.declare import Stateful, machine_guards, state_field
from winddown.models import TransitionLog
from winddown.witness import witnessed


class WalletQuerySet(models.QuerySet["Wallet"]):
    """Sets of wallets by what the business calls them."""

    def holding(self) -> WalletQuerySet:
        """Wallets with paid value: what the law makes refundable."""
        return self.filter(paid_minor__gt=0)

    def open(self) -> WalletQuerySet:
        """Wallets whose balance is not yet sealed."""
        return self.filter(state__in=Wallet.OPEN)


class Wallet(Stateful):
    """active -> charge_frozen -> active; active | charge_frozen -> held -> active | charge_frozen;
    active | charge_frozen -> closing -> closed -> entitled -> settled | transferred | deposited |
    excluded -> settled; settled | transferred | deposited -> entitled when the bank sends the money
    back after it had reported it paid; closed | held_closed -> settled when nothing is left; held
    -> held_closed -> held_entitled -> entitled.

    Nothing is ever deleted. `paid_minor` and `bonus_minor` equal the sums of the wallet's postings
    and change in the same transaction as those; `held_minor` is the part of the paid value that a
    fraud hold keeps from being spent.
    """

    class State(models.TextChoices):
        ACTIVE = "active"
        CHARGE_FROZEN = "charge_frozen"
        HELD = "held"
        CLOSING = "closing"
        CLOSED = "closed"
        HELD_CLOSED = "held_closed"
        ENTITLED = "entitled"
        HELD_ENTITLED = "held_entitled"
        SETTLED = "settled"
        TRANSFERRED = "transferred"
        EXCLUDED = "excluded"
        DEPOSITED = "deposited"

    SPENDABLE = (State.ACTIVE, State.CHARGE_FROZEN)
    """Value may go out."""
    IN_SERVICE = (*SPENDABLE, State.HELD)
    """The end of the service has not reached the wallet."""
    OPEN = (*IN_SERVICE, State.CLOSING)
    """The balance may still change."""
    ENDED = (State.CLOSED, State.HELD_CLOSED)
    """The balance is sealed, and what is owed for it is not fixed."""
    AWAITING_SEAL = (State.CLOSING, State.HELD_CLOSED)
    """The wallet gets its line in the closing snapshot, if it has none."""
    NOT_EMPTIED = (*OPEN, *ENDED)
    """The wallet may hold value."""
    DISCHARGED = (State.SETTLED, State.TRANSFERRED, State.DEPOSITED)
    """Nothing more is owed for it, unless a payment comes back or a hold sets more free."""
    EMPTIED = (
        State.ENTITLED,
        State.HELD_ENTITLED,
        State.SETTLED,
        State.TRANSFERRED,
        State.EXCLUDED,
        State.DEPOSITED,
    )
    """What was free in the wallet is owed as a refund, or was settled. What a hold kept is still in it."""

    wallet_ref = models.CharField(max_length=64, unique=True)
    account = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="wallet"
    )
    state = state_field(State, initial=State.ACTIVE)
    paid_minor = models.BigIntegerField(default=0)
    bonus_minor = models.BigIntegerField(default=0)
    held_minor = models.BigIntegerField(default=0)
    opened_at = models.DateTimeField()

    objects = WalletQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        triggers = [
            *machine_guards(),
            *witnessed("wallet_ref", "account_id", "opened_at"),
            columns_are_fixed("wallet_ref", "account_id", "opened_at"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(paid_minor__gte=0), name="paid_value_not_negative"),
            models.CheckConstraint(
                condition=Q(bonus_minor__gte=0), name="bonus_value_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(held_minor__gte=0, held_minor__lte=models.F("paid_minor")),
                name="held_part_of_paid_value",
            ),
        ]

    def __str__(self) -> str:
        return f"wallet {self.pk}"

    @property
    def is_in_service(self) -> bool:
        return self.state in self.IN_SERVICE

    @property
    def available_minor(self) -> int:
        return self.paid_minor + self.bonus_minor - self.held_minor

    @transition(
        field="state",
        source="active",
        target="charge_frozen",
        permission="wallets.freeze_wallet",
        custom={"system": True},
    )
    def freeze_charges(self) -> None:
        """The wallet can be spent from and no longer charged."""

    @transition(
        field="state",
        source="charge_frozen",
        target="active",
        permission="wallets.release_wallet",
        custom={"system": True},
    )
    def restore_charges(self) -> None:
        """The wallet can be charged again."""

    @transition(
        field="state",
        source=["active", "charge_frozen"],
        target="held",
        permission="wallets.hold_wallet",
        custom={"system": True},
    )
    def hold(self) -> None:
        """Fraud is suspected: nothing moves."""

    @transition(field="state", source="held", target="active", permission="wallets.release_wallet")
    def release(self) -> None:
        """The suspicion is gone, and charges are possible."""

    @transition(
        field="state", source="held", target="charge_frozen", permission="wallets.release_wallet"
    )
    def release_frozen(self) -> None:
        """The suspicion is gone, and charges stay frozen."""

    @transition(
        field="state",
        source=["active", "charge_frozen"],
        target="closing",
        permission="winddown.close_programme",
        custom={"system": True},
    )
    def start_closing(self) -> None:
        """The service ends, and payments that are not settled yet are being settled."""

    @transition(
        field="state",
        source="closing",
        target="closed",
        permission="winddown.close_programme",
        custom={"system": True},
    )
    def close(self) -> None:
        """Nothing can be spent any more."""

    @transition(
        field="state",
        source="held",
        target="held_closed",
        permission="winddown.close_programme",
        custom={"system": True},
    )
    def close_held(self) -> None:
        """The service ended while the wallet was held."""

    @transition(
        field="state",
        source="closed",
        target="entitled",
        permission="winddown.fix_balance",
        custom={"system": True, "when": Q(paid_minor__gt=0)},
    )
    def entitle(self) -> None:
        """The paid value became a refund entitlement."""

    @transition(
        field="state",
        source=["closed", "held_closed"],
        target="settled",
        permission="winddown.fix_balance",
        custom={"system": True, "when": Q(paid_minor=0)},
    )
    def settle_empty(self) -> None:
        """Nothing was left to refund."""

    @transition(
        field="state",
        source="held_closed",
        target="held_entitled",
        permission="winddown.fix_balance",
        custom={"system": True},
    )
    def entitle_held(self) -> None:
        """The value is entitled and stays held until two supervisors release it."""

    @transition(
        field="state",
        source="held_entitled",
        target="entitled",
        permission="wallets.release_wallet",
    )
    def release_entitled(self) -> None:
        """The hold on the entitlement is gone."""

    @transition(
        field="state",
        source="entitled",
        target="settled",
        permission="refunds.reconcile",
        custom={"system": True},
    )
    def settle(self) -> None:
        """Bank evidence shows the holder was paid in full."""

    @transition(
        field="state",
        source=["entitled", "excluded"],
        target="transferred",
        permission="winddown.post_exclusion",
        custom={"system": True},
    )
    def transfer(self) -> None:
        """Another issuer took the value over."""

    @transition(
        field="state",
        source="entitled",
        target="excluded",
        permission="winddown.post_exclusion",
        custom={"system": True},
    )
    def exclude(self) -> None:
        """The window passed without an application."""

    @transition(
        field="state",
        source="excluded",
        target="settled",
        permission="refunds.reconcile",
        custom={"system": True},
    )
    def settle_late(self) -> None:
        """A late claim was paid."""

    @transition(
        field="state",
        source=["settled", "transferred", "deposited"],
        target="entitled",
        permission="refunds.reconcile",
        custom={"system": True},
    )
    def owe_again(self) -> None:
        """The bank sent the money back after it had reported the payment, or a hold set more free."""

    @transition(
        field="state",
        source=["entitled", "excluded"],
        target="deposited",
        permission="winddown.post_exclusion",
        custom={"system": True},
    )
    def deposit(self) -> None:
        """The authority has what is left, for the holder."""


class WalletTransition(TransitionLog):
    pass
