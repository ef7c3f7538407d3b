"""Vouchers: postal orders and claim codes, which are paid only when somebody cashes them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django_fsm import transition

from refunds.models.payout import Payout
from refunds.models.payout_batch import PayoutBatch
from winddown.guards import columns_are_fixed, rows_are_kept
from winddown.machines.declare import Stateful, machine_guards, state_field
from winddown.models import TransitionLog
from winddown.witness import witnessed


class Voucher(Stateful):
    """made -> issued -> notified -> cashed | expired -> reissued; made | issued -> voided when its
    list is never paid; cashed -> expired when its provider takes the word back, and expired |
    reissued -> cashed when it was cashed after all; cashed | expired -> issued when the file that
    told is void.

    It stands for one payout in one list to the provider. What is owed stays in flight until the
    provider says that it was cashed. A day alone never ends it: somebody may have cashed it on the
    last one, and the provider's answer is still to come.
    """

    class State(models.TextChoices):
        MADE = "made"
        ISSUED = "issued"
        NOTIFIED = "notified"
        CASHED = "cashed"
        EXPIRED = "expired"
        REISSUED = "reissued"
        VOIDED = "voided"

    initial_states = (State.MADE,)
    OUT = (State.ISSUED, State.NOTIFIED)
    """Its holder can cash it."""
    LIVING = (State.MADE, *OUT, State.CASHED)
    """It stands for its payout: there is no other beside it."""
    ENDED = (State.EXPIRED, State.REISSUED, State.VOIDED)
    """Nobody can cash it any more."""

    payout = models.ForeignKey(Payout, on_delete=models.PROTECT, related_name="vouchers")
    batch = models.ForeignKey(
        PayoutBatch, on_delete=models.PROTECT, db_index=False, related_name="vouchers"
    )
    state = state_field(State, initial=State.MADE)
    code_sealed = models.BinaryField(null=True)
    expires_on = models.DateField(help_text="The last day on which it can be cashed.")
    made_at = models.DateTimeField()
    shown_at = models.DateTimeField(null=True, help_text="When its holder saw the code, once.")
    lost_at = models.DateTimeField(
        null=True, help_text="When its holder said that it is lost: its code is never shown again."
    )
    reminded_at = models.DateTimeField(null=True, help_text="The newest reminder.")

    class Meta:
        default_permissions = ()
        triggers = [
            *machine_guards(),
            *witnessed("payout_id", "batch_id", "code_sealed", "expires_on", "made_at", "shown_at"),
            rows_are_kept(),
            columns_are_fixed("payout_id", "batch_id", "expires_on", "made_at"),
            columns_are_fixed(
                "shown_at",
                once="OLD.shown_at IS NOT NULL OR OLD.lost_at IS NOT NULL",
                name="code_shown_once",
            ),
            columns_are_fixed("lost_at", once="OLD.lost_at IS NOT NULL", name="lost_once"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["payout", "batch"], name="voucher_once_per_list"),
            models.UniqueConstraint(
                fields=["payout"],
                condition=Q(state__in=["made", "issued", "notified", "cashed"]),
                name="one_living_voucher_per_payout",
            ),
        ]

    def __str__(self) -> str:
        return f"voucher {self.pk}"

    @transition(
        field="state",
        source="made",
        target="issued",
        permission="refunds.transmit_payout_batch",
        custom={"system": True},
    )
    def issue(self) -> None:
        """Its provider has the list."""

    @transition(
        field="state", source="issued", target="notified", permission="", custom={"system": True}
    )
    def notify(self) -> None:
        """Its holder was told."""

    @transition(
        field="state",
        source=["issued", "notified", "expired", "reissued"],
        target="cashed",
        permission="refunds.reconcile",
        custom={"system": True},
    )
    def cash(self) -> None:
        """Its provider says that somebody cashed it, perhaps after it had said that nobody did."""

    @transition(
        field="state",
        source=["issued", "notified", "cashed"],
        target="expired",
        permission="refunds.reconcile",
        custom={"system": True},
    )
    def expire(self) -> None:
        """Its provider says that it was not cashed, and cannot be any more."""

    @transition(
        field="state", source="expired", target="reissued", permission="", custom={"system": True}
    )
    def reissue(self) -> None:
        """Another payout of the same amount was booked."""

    @transition(
        field="state",
        source=["cashed", "expired"],
        target="issued",
        permission="refunds.reconcile",
        custom={"system": True},
    )
    def void_result(self) -> None:
        """Two people voided the file that told what became of it: its holder can cash it."""

    @transition(
        field="state",
        source=["made", "issued"],
        target="voided",
        permission="refunds.approve_payout_batch",
        custom={"system": True},
    )
    def void(self) -> None:
        """Its list is never paid."""


class VoucherTransition(TransitionLog):
    pass


def code_place(payout_id: int, batch_id: int | None) -> str:
    """Returns the place that the encryption of a code is bound to."""
    return f"refunds_voucher/code/{payout_id}.{batch_id}"
