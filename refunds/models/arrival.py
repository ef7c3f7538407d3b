"""Did it arrive? A sample of the people whom the bank calls paid is asked, and a "no" is traced."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django_fsm import transition

from refunds.models.payout import Payout
from refunds.models.payout_batch import PayoutBatch
from winddown.guards import Guard, append_only, columns_are_fixed, rows_are_kept
from winddown.machines.declare import Stateful, machine_guards, state_field
from winddown.models import TransitionLog
from winddown.sqlstates import SqlState
from winddown.witness import witnessed


class ArrivalSample(models.Model):
    """The draw of one payout file: of `paid` payouts that could be asked about, `asked` were.

    Who was drawn follows from the seed alone: the payouts with the smallest SHA-256 of seed and
    number. So an auditor draws the same people again.
    """

    batch = models.OneToOneField(PayoutBatch, on_delete=models.PROTECT, related_name="sample")
    seed = models.CharField(max_length=32)
    paid = models.IntegerField()
    asked = models.IntegerField()
    drawn_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        triggers = [*append_only(), *witnessed()]
        constraints = [
            models.CheckConstraint(
                condition=Q(asked__gt=0, asked__lte=F("paid")), name="sample_is_of_the_paid"
            ),
        ]

    def __str__(self) -> str:
        return f"sample of {self.batch}"


class ArrivalQuestion(models.Model):
    """One person of a sample is asked, once."""

    class Answer(models.TextChoices):
        YES = "yes"
        NO = "no"

    sample = models.ForeignKey(ArrivalSample, on_delete=models.PROTECT, related_name="questions")
    payout = models.OneToOneField(Payout, on_delete=models.PROTECT, related_name="question")
    message = models.OneToOneField(
        "accounts.Message", null=True, on_delete=models.PROTECT, related_name="+"
    )
    answer = models.CharField(max_length=3, choices=Answer.choices, blank=True)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        triggers = [
            *witnessed(),
            rows_are_kept(),
            columns_are_fixed("sample_id", "payout_id", "message_id"),
            columns_are_fixed(
                "answer",
                "answered_at",
                once="OLD.answered_at IS NOT NULL",
                name="arrival_answered_once",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(answer="", answered_at=None)
                | Q(answer__in=["yes", "no"], answered_at__isnull=False),
                name="arrival_answer_has_its_instant",
            ),
        ]

    def __str__(self) -> str:
        return f"question about {self.payout}"


class TraceCase(Stateful):
    """open -> closed: money that the bank calls paid and its holder does not have.

    It moves no money: the bank's file alone gives a payout back. `owner` sees to it; nobody does
    while it is empty. Two people close it, and say how it ended.
    """

    class State(models.TextChoices):
        OPEN = "open"
        CLOSED = "closed"

    ALONE = (State.OPEN, State.CLOSED)
    """Asked for one at a time: no set of states has the same meaning."""

    class Outcome(models.TextChoices):
        ARRIVED = "arrived"
        CAME_BACK = "came_back"
        NOT_RECOVERED = "not_recovered"

    payout = models.ForeignKey(Payout, on_delete=models.PROTECT, related_name="traces")
    state = state_field(State, initial=State.OPEN)
    account_end = models.CharField(max_length=4, help_text="The last digits of the account.")
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    due_on = models.DateField()
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    outcome = models.CharField(max_length=16, choices=Outcome.choices, blank=True)
    resolution = models.TextField(blank=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        triggers = [
            *machine_guards(),
            *witnessed(),
            columns_are_fixed("payout_id", "account_end", "opened_at", "opened_by_id", "due_on"),
            Guard(
                name="two_close_a_trace",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func=f"""
                    IF OLD.state <> NEW.state AND NOT EXISTS (
                        SELECT FROM winddown_signature s
                        JOIN winddown_approval a ON a.id = s.approval_id
                        JOIN accounts_user m ON m.id = a.maker_id
                        WHERE s.subject LIKE 'trace:' || OLD.id || ':%'
                          AND s.part = 'approved' AND s.staff_number <> m.staff_number)
                    THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.NOT_APPROVED}', MESSAGE = format(
                            'trace %s is closed by two people', OLD.id);
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["payout"], condition=Q(state="open"), name="one_open_trace_per_payout"
            ),
            models.CheckConstraint(
                condition=Q(state="open", outcome="")
                | (Q(state="closed") & ~Q(outcome="") & ~Q(resolution="")),
                name="closed_trace_says_how_it_ended",
            ),
        ]

    def __str__(self) -> str:
        return f"trace {self.pk}"

    @property
    def subject(self) -> str:
        return f"trace:{self.pk}"

    @transition(field="state", source="open", target="closed", permission="refunds.reconcile")
    def close(self) -> None:
        """Two people agreed how it ended."""


class TraceCaseTransition(TransitionLog):
    pass
