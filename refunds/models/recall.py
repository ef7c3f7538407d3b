"""Recalls: the bank is asked to get the money of one transfer back."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django_fsm import transition

from refunds.models.payout import Payout
from winddown.machines.declare import Stateful, machine_guards, state_field
from winddown.models import TransitionLog
from winddown.witness import witnessed


class Recall(Stateful):
    """requested -> in_process -> done | failed; requested -> done | failed.

    A recall moves no money. It is done only when a file of the bank has shown that the money is
    with us again, and a failed one restores nothing: the payee has the money.
    """

    class State(models.TextChoices):
        REQUESTED = "requested"
        IN_PROCESS = "in_process"
        DONE = "done"
        FAILED = "failed"

    OPEN = (State.REQUESTED, State.IN_PROCESS)
    """The bank has not said how it ended."""
    ENDED = (State.DONE, State.FAILED)
    """The bank has said how it ended."""

    payout = models.ForeignKey(Payout, on_delete=models.PROTECT, related_name="recalls")
    state = state_field(State, initial=State.REQUESTED)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    asked_at = models.DateTimeField()
    answer = models.CharField(
        max_length=200, blank=True, help_text="What the bank said, and where."
    )

    class Meta:
        default_permissions = ()
        triggers = [*machine_guards(), *witnessed()]
        constraints = [
            models.UniqueConstraint(
                fields=["payout"],
                condition=Q(state__in=["requested", "in_process"]),
                name="one_open_recall_per_payout",
            ),
            models.CheckConstraint(
                condition=Q(state="requested") | ~Q(answer=""), name="recall_has_an_answer"
            ),
        ]

    def __str__(self) -> str:
        return f"recall {self.pk}"

    @property
    def subject(self) -> str:
        return f"recall:{self.pk}"

    @transition(
        field="state", source="requested", target="in_process", permission="refunds.reconcile"
    )
    def take_up(self) -> None:
        """The bank has asked the payee's bank."""

    @transition(
        field="state",
        source=["requested", "in_process"],
        target="done",
        permission="refunds.reconcile",
    )
    def finish(self) -> None:
        """The money came back, as a file of the bank shows."""

    @transition(
        field="state",
        source=["requested", "in_process"],
        target="failed",
        permission="refunds.reconcile",
    )
    def fail(self) -> None:
        """The payee keeps the money: nothing is restored."""


class RecallTransition(TransitionLog):
    pass
