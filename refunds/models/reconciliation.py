"""Files exchanged with the bank, once each, and the breaks that their answers left."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django_fsm import transition

from winddown.guards import Guard, append_only
from winddown.machines.declare import Stateful, machine_guards, state_field
from winddown.models import TransitionLog
from winddown.sqlstates import SqlState
from winddown.witness import witnessed


class BankFile(models.Model):
    """A check that we asked for, or an answer that we got. The same bytes are stored once (rule 25,
    I13). `answered_on` is the day that the bank wrote into its results.
    """

    class Kind(models.TextChoices):
        CHECK_ASKED = "check_asked"
        CHECK_ANSWERED = "check_answered"
        RESULTS = "results"
        REPORT = "report"
        STATEMENT = "statement"
        REJECTION = "rejection"

    kind = models.CharField(max_length=20, choices=Kind.choices)
    sha256 = models.CharField(max_length=64, unique=True)
    lines = models.IntegerField()
    sum_minor = models.BigIntegerField()
    answered_on = models.DateField(null=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        triggers = [*append_only(), *witnessed(older=({"answered_on": "NULL"},))]

    def __str__(self) -> str:
        return f"{self.kind} {self.sha256[:12]}"


class ReconciliationBreak(Stateful):
    """open -> resolved: a bank's line that fits nothing of ours, until two people clear it.

    Nothing is ever matched by amount alone, and a line that contradicts an earlier result changes
    nothing (rule 59). While a break is open, no file leaves. `owner` sees to it; nobody does while
    it is empty.
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
        PAYEE_DIFFERS = "payee_differs"
        VALUE_DATE_DIFFERS = "value_date_differs"
        PAYER_DIFFERS = "payer_differs"
        DEAD_BATCH = "dead_batch"
        NOT_AT_THE_BANK = "not_at_the_bank"
        CONTRADICTS = "contradicts"
        PAID_TWICE = "paid_twice"
        PAID_AFTER_ALL = "paid_after_all"
        UNKNOWN_STATUS = "unknown_status"
        UNKNOWN_CREDIT = "unknown_credit"
        UNKNOWN_DEBIT = "unknown_debit"

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
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    found_at = models.DateTimeField()
    resolution = models.TextField(blank=True)
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        triggers = [
            *machine_guards(),
            *witnessed(older=({"owner_id": "NULL"},)),
            Guard(
                name="two_clear_a_break",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func=f"""
                    IF OLD.state <> NEW.state AND NEW.state = 'resolved' AND NOT EXISTS (
                        SELECT FROM winddown_signature s
                        JOIN winddown_approval a ON a.id = s.approval_id
                        JOIN accounts_user m ON m.id = a.maker_id
                        WHERE (s.subject LIKE 'break:' || OLD.id || ':%'
                              OR s.subject LIKE 'breaks:%'
                              AND a.summary -> 'breaks' @> to_jsonb(OLD.id))
                          AND s.part = 'approved'
                          AND s.staff_number <> m.staff_number)
                        AND NOT EXISTS (
                            SELECT FROM refunds_breakmatch m WHERE m.found_id = NEW.id)
                        AND NOT EXISTS (
                            SELECT FROM refunds_voidedfile v WHERE v.file_id = NEW.file_id)
                    THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.NOT_APPROVED}', MESSAGE = format(
                            'break %s is cleared by two people', OLD.id);
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["file", "line"], name="one_break_per_line"),
            models.CheckConstraint(
                condition=Q(state="open") | ~Q(resolution=""), name="resolved_break_is_explained"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} in file {self.file_id}, line {self.line}"

    @property
    def subject(self) -> str:
        return f"break:{self.pk}"

    @transition(field="state", source="open", target="resolved", permission="refunds.reconcile")
    def resolve(self) -> None:
        """Two people agreed what the line is."""


class ReconciliationBreakTransition(TransitionLog):
    pass


class VoidedFile(models.Model):
    """Two people said that a file of the bank is not to be believed, and what it had changed is
    undone. A file is voided once.
    """

    file = models.OneToOneField(BankFile, on_delete=models.PROTECT, related_name="void")
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        triggers = [
            *append_only(),
            *witnessed(),
            Guard(
                name="two_void_a_file",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=f"""
                    IF NOT EXISTS (
                        SELECT FROM winddown_signature s
                        JOIN winddown_approval a ON a.id = s.approval_id
                        JOIN accounts_user m ON m.id = a.maker_id
                        WHERE s.subject LIKE 'bank_file:' || NEW.file_id || ':void:%'
                          AND s.part = 'approved' AND s.staff_number <> m.staff_number)
                    THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.NOT_APPROVED}', MESSAGE = format(
                            'file %s of the bank is voided by two people', NEW.file_id);
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"void of file {self.file_id}"


class ReplacedResult(models.Model):
    """What the bank had said of a payout before its later word in `by`: paid, and then returned, or
    returned, and then paid after all.
    """

    payout = models.ForeignKey(
        "refunds.Payout", on_delete=models.PROTECT, related_name="replaced_results"
    )
    file = models.ForeignKey(BankFile, on_delete=models.PROTECT, db_index=False, related_name="+")
    state = models.CharField(max_length=20)
    return_reason = models.CharField(max_length=24, blank=True)
    result_at = models.DateTimeField()
    by = models.ForeignKey(BankFile, on_delete=models.PROTECT, db_index=False, related_name="+")

    class Meta:
        default_permissions = ()
        triggers = [*append_only(), *witnessed()]
        constraints = [
            models.UniqueConstraint(fields=["payout", "by"], name="result_replaced_once_by_a_file")
        ]

    def __str__(self) -> str:
        return f"{self.state} of payout {self.payout_id}, replaced by file {self.by_id}"
