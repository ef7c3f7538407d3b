"""Files exchanged with the bank, once each, and the breaks that their answers left."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django_fsm import transition

from winddown.guards import append_only
from winddown.machines.declare import Stateful, machine_guards, state_field
from winddown.models import TransitionLog
from winddown.witness import witnessed


class BankFile(models.Model):
    """A check that we asked for, or an answer that we got. The same bytes are stored once (rule 25,
    I13).
    """

    class Kind(models.TextChoices):
        CHECK_ASKED = "check_asked"
        CHECK_ANSWERED = "check_answered"
        RESULTS = "results"

    kind = models.CharField(max_length=20, choices=Kind.choices)
    sha256 = models.CharField(max_length=64, unique=True)
    lines = models.IntegerField()
    sum_minor = models.BigIntegerField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        triggers = [*append_only(), *witnessed()]

    def __str__(self) -> str:
        return f"{self.kind} {self.sha256[:12]}"


class ReconciliationBreak(Stateful):
    """open -> resolved: a bank's line that fits nothing of ours, until a person explains it.

    Nothing is ever matched by amount alone, and a line that contradicts an earlier result changes
    nothing (rule 59).
    """

    class State(models.TextChoices):
        OPEN = "open"
        RESOLVED = "resolved"

    ALONE = (State.OPEN, State.RESOLVED)
    """Asked for one at a time: no set of states has the same meaning."""

    class Kind(models.TextChoices):
        UNKNOWN_REFERENCE = "unknown_reference"
        AMOUNT_DIFFERS = "amount_differs"
        ACCOUNT_DIFFERS = "account_differs"
        NOT_AT_THE_BANK = "not_at_the_bank"
        BEFORE_VALUE_DATE = "before_value_date"
        CONTRADICTS = "contradicts"

    NO_RETURN = "paid"
    """The answer of a line that brings no reason of return."""

    file = models.ForeignKey(BankFile, on_delete=models.PROTECT, related_name="breaks")
    line = models.IntegerField(help_text="Counted from 1 among the file's data records.")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    state = state_field(State, initial=State.OPEN)
    reference = models.CharField(max_length=20)
    amount_minor = models.BigIntegerField()
    expected_minor = models.BigIntegerField(null=True)
    answer = models.CharField(max_length=24)
    payout = models.ForeignKey(
        "refunds.Payout", null=True, on_delete=models.PROTECT, related_name="breaks"
    )
    found_at = models.DateTimeField()
    resolution = models.TextField(blank=True)
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        triggers = [*machine_guards(), *witnessed()]
        constraints = [
            models.UniqueConstraint(fields=["file", "line"], name="one_break_per_line"),
            models.CheckConstraint(
                condition=Q(state="open") | ~Q(resolution=""), name="resolved_break_is_explained"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} in file {self.file_id}, line {self.line}"

    @transition(field="state", source="open", target="resolved", permission="refunds.reconcile")
    def resolve(self) -> None:
        """A person explained what the line is."""


class ReconciliationBreakTransition(TransitionLog):
    pass
