"""Payout batches: the bank files, frozen when sealed, approved by others than their maker."""

from __future__ import annotations

import datetime as dt

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django_fsm import transition

from accounts import person_keys
from refunds.models.method import MethodTerms
from winddown.guards import Guard, append_only
from winddown.locks import Lock
from winddown.machines.declare import Stateful, machine_guards, state_field
from winddown.models import Run, TransitionLog
from winddown.personal_data import HOUSE, DataClass
from winddown.sqlstates import SqlState
from winddown.witness import witnessed

_FROZEN = (
    "bank_code, method, sequence, value_date, items, total_minor, sha256, digest,"
    " approvals_needed, maker_id, run_id, terms_id, sealed_at"
)
_OLD = ", ".join(f"OLD.{column.strip()}" for column in _FROZEN.split(","))
_NEW = ", ".join(f"NEW.{column.strip()}" for column in _FROZEN.split(","))
# The audit entry that two people confirmed the files which a restore forgot.
RESTORE_CONFIRMED = "payouts.confirm_restore"
# The numbers that a bank has seen or will see, with those of files that a restore forgot.
FILE_NUMBERS = f"""
    SELECT bank_code, sequence FROM refunds_payoutbatch WHERE sequence IS NOT NULL
    UNION SELECT file->>'bank_code', (file->>'sequence')::int
    FROM winddown_auditentry, jsonb_array_elements(facts->'files') file
    WHERE action = '{RESTORE_CONFIRMED}' AND file ? 'bank_code'
"""


# The key of the lock on a value date, from which days are counted.
DAY_ONE = dt.date(2000, 1, 1)
DAY_KEY_SQL = f"NEW.value_date - DATE '{DAY_ONE}'"


class PayoutBatch(Stateful):
    """open -> sealed -> submitted_for_approval -> approved -> releasing -> exported -> transmitted
    -> bank_accepted -> executed -> reconciling -> reconciled -> closed; releasing -> approved when
    somebody stops the release; reconciling -> closed with a waiver; submitted_for_approval ->
    rejected; transmitted -> bank_rejected; before transmission -> voided.

    Sealing writes the file, its SHA-256 and its totals, and takes the bank's next number. After
    that nothing of it can change (rule 52). The number is in the reference of each line, so a line
    names one inclusion of one payout. A rejected or voided batch keeps its number, and its payouts
    wait for a new batch. Approvers sign `digest`, which covers the file's hash and totals. Two
    people void a batch, take payouts out of it, store the bank's rejection, or close it with open
    payouts. A batch without the payouts that were taken out is a new row, which `replaces` it.
    """

    class State(models.TextChoices):
        OPEN = "open"
        SEALED = "sealed"
        SUBMITTED_FOR_APPROVAL = "submitted_for_approval"
        APPROVED = "approved"
        RELEASING = "releasing"
        REJECTED = "rejected"
        EXPORTED = "exported"
        TRANSMITTED = "transmitted"
        BANK_ACCEPTED = "bank_accepted"
        BANK_REJECTED = "bank_rejected"
        EXECUTED = "executed"
        RECONCILING = "reconciling"
        RECONCILED = "reconciled"
        CLOSED = "closed"
        VOIDED = "voided"

    DEAD = (State.REJECTED, State.BANK_REJECTED, State.VOIDED)
    """The file is never paid, and the payouts left the batch."""
    AT_THE_BANK = (State.TRANSMITTED, State.BANK_ACCEPTED, State.EXECUTED, State.RECONCILING)
    """The bank has the file, and answers are open."""
    ANSWERABLE = (*AT_THE_BANK, State.RECONCILED, State.CLOSED)
    """The bank has the file, and may answer again at any time: it sends money back days later."""
    RELEASED = (State.EXPORTED, *ANSWERABLE)
    """The file left the database."""
    AGREED = (State.APPROVED, State.RELEASING, *RELEASED)
    """Others than the maker agreed to the file, and it is paid or still can be."""
    SIGNED = (*AGREED, State.BANK_REJECTED)
    """Others than the maker agreed to the file."""
    HOLDING = (State.SEALED, State.SUBMITTED_FOR_APPROVAL, *AGREED)
    """The file is sealed, and the batch holds exactly the payouts of the file."""
    VOIDABLE = (
        State.OPEN,
        State.SEALED,
        State.SUBMITTED_FOR_APPROVAL,
        State.APPROVED,
        State.RELEASING,
        State.EXPORTED,
    )
    """The file has not gone to the bank."""

    bank_code = models.CharField(
        max_length=4,
        help_text="The bank that pays for us, or the number of the provider of its method.",
    )
    method = models.CharField(
        max_length=16,
        default=MethodTerms.BANK,
        db_default=MethodTerms.BANK,
        help_text="How its payouts are paid: an entry of the registry of payout methods.",
    )
    value_date = models.DateField()
    state = state_field(State, initial=State.OPEN)
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="payout_batches")
    terms = models.ForeignKey("refunds.RefundTerms", on_delete=models.PROTECT, related_name="+")
    maker = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    sequence = models.IntegerField(null=True)
    items = models.IntegerField(null=True)
    total_minor = models.BigIntegerField(null=True)
    # Null until sealed.
    sha256 = models.CharField(max_length=64, null=True)  # noqa: DJ001
    digest = models.CharField(max_length=64, blank=True)
    approvals_needed = models.SmallIntegerField(default=1)
    rejection = models.ForeignKey(
        "refunds.BankFile", null=True, on_delete=models.PROTECT, db_index=False, related_name="+"
    )
    replaces = models.OneToOneField(
        "self",
        null=True,
        on_delete=models.PROTECT,
        related_name="replaced_by",
        help_text="The void batch of which this is the next version.",
    )
    opened_at = models.DateTimeField()
    sealed_at = models.DateTimeField(null=True)
    leaves_at = models.DateTimeField(null=True, help_text="When a released file may leave.")
    exported_at = models.DateTimeField(null=True)
    transmitted_at = models.DateTimeField(null=True)
    transmitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["bank_code", "sequence"], name="batch_number_once_per_bank"
            ),
            models.UniqueConstraint(
                fields=["sha256"],
                condition=~Q(state__in=["rejected", "bank_rejected", "voided"]),
                name="living_batch_has_its_own_file",
            ),
            models.CheckConstraint(
                condition=Q(state="open", sha256=None, sequence=None)
                | Q(state="voided", sha256=None, sequence=None)
                | (
                    ~Q(state="open")
                    & ~Q(digest="")
                    & Q(
                        sha256__isnull=False,
                        sequence__gt=0,
                        items__gt=0,
                        total_minor__gt=0,
                        sealed_at__isnull=False,
                    )
                ),
                name="sealed_batch_complete",
            ),
            models.CheckConstraint(
                condition=Q(approvals_needed__in=[1, 2]), name="batch_takes_one_or_two_approvers"
            ),
        ]
        triggers = [
            *machine_guards(),
            *witnessed(
                older=(
                    {
                        "rejection_id": "NULL",
                        "leaves_at": "NULL",
                        "method": "'bank'",
                        "replaces_id": "NULL",
                    },
                    {"leaves_at": "NULL", "method": "'bank'", "replaces_id": "NULL"},
                    {"method": "'bank'", "replaces_id": "NULL"},
                    {"replaces_id": "NULL"},
                )
            ),
            Guard(
                name="sealed_batch_is_frozen",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                declare=[
                    ("signed", "integer"),
                    ("subject_name", "text := 'payout_batch:' || OLD.id"),
                    ("ending", "text"),
                    ("caps", "refunds_refundterms"),
                    ("found", "bigint"),
                ],
                func=f"""
                    IF OLD.state <> 'open' AND ({_OLD}) IS DISTINCT FROM ({_NEW}) THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.PAYOUT_IS_FROZEN}',
                            MESSAGE = format(
                                'payout batch %s is sealed: nothing of it can change', OLD.id);
                    END IF;
                    IF OLD.state <> NEW.state AND NEW.state = 'approved' THEN
                        SELECT count(DISTINCT s.staff_number) INTO signed
                        FROM winddown_signature s
                        WHERE s.subject = subject_name AND s.part = 'approved'
                            AND s.digest = NEW.digest
                          AND s.signer_id <> NEW.maker_id
                          AND s.staff_number <> (SELECT u.staff_number FROM accounts_user u
                              WHERE u.id = NEW.maker_id);
                        IF signed < NEW.approvals_needed THEN
                            RAISE EXCEPTION USING ERRCODE = '{SqlState.BATCH_NOT_APPROVED}', MESSAGE = format(
                                'payout batch %s has %s of %s approvals, its maker not counted',
                                OLD.id, signed, NEW.approvals_needed);
                        END IF;
                    END IF;
                    IF (OLD.state, NEW.state) IN (('submitted_for_approval', 'approved'),
                        ('releasing', 'exported'))
                    THEN
                        PERFORM pg_advisory_xact_lock({Lock.PAYOUT_DAY.value}, {DAY_KEY_SQL});
                        SELECT * INTO caps FROM refunds_refundterms ORDER BY id DESC LIMIT 1;
                        SELECT max(p.amount_minor) INTO found FROM refunds_payout p
                            WHERE p.batch_id = OLD.id;
                        IF found > caps.line_max_minor OR NEW.total_minor > caps.batch_max_minor
                            OR NEW.total_minor + (
                                SELECT coalesce(sum(b.total_minor), 0) FROM refunds_payoutbatch b
                                WHERE b.value_date = NEW.value_date AND b.id <> OLD.id
                                  AND b.state NOT IN ('open', 'sealed', 'submitted_for_approval',
                                      'rejected', 'bank_rejected', 'voided'))
                                > caps.day_max_minor
                        THEN
                            RAISE EXCEPTION USING ERRCODE = '{SqlState.CAP_EXCEEDED}', MESSAGE = format(
                                'payout batch %s is above a cap of the refund', OLD.id);
                        END IF;
                    END IF;
                    IF NEW.state = 'exported' AND OLD.state = 'releasing'
                        AND NEW.leaves_at > winddown_now()
                    THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.NOT_YET_OPEN}', MESSAGE = format(
                            'payout batch %s can still be stopped', OLD.id);
                    END IF;
                    IF OLD.state <> NEW.state AND NEW.state = 'transmitted' AND (
                        SELECT count(*) FROM accounts_user u
                        WHERE u.id = NEW.transmitted_by_id AND u.staff_number <> ''
                          AND u.staff_number <> (SELECT m.staff_number FROM accounts_user m
                              WHERE m.id = NEW.maker_id)
                          AND u.staff_number NOT IN (
                              SELECT s.staff_number FROM winddown_signature s
                                  WHERE s.subject = subject_name)
                    ) = 0 THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.SENDER_NOT_INDEPENDENT}', MESSAGE = format(
                            'payout batch %s: who transmits neither made nor approved it', OLD.id);
                    END IF;
                    IF OLD.state <> NEW.state THEN
                        ending := CASE
                            WHEN NEW.state = 'voided' THEN 'void'
                            WHEN NEW.state = 'bank_rejected' THEN 'refusal'
                            WHEN NEW.state = 'closed' AND OLD.state <> 'reconciled' THEN 'waiver'
                        END;
                        IF ending IS NOT NULL AND NOT EXISTS (
                            SELECT FROM winddown_signature s
                            JOIN winddown_approval a ON a.id = s.approval_id
                            JOIN accounts_user m ON m.id = a.maker_id
                            WHERE (s.subject LIKE subject_name || ':' || ending || ':%'
                                  OR ending = 'void'
                                  AND s.subject LIKE 'payout_lines:' || OLD.id || ':%')
                              AND s.part = 'approved' AND s.staff_number <> m.staff_number)
                        THEN
                            RAISE EXCEPTION USING ERRCODE = '{SqlState.BATCH_NOT_APPROVED}', MESSAGE = format(
                                'payout batch %s: two people sign its %s', OLD.id, ending);
                        END IF;
                        IF NEW.state = 'bank_rejected' AND NEW.rejection_id IS NULL THEN
                            RAISE EXCEPTION USING ERRCODE = '{SqlState.BATCH_NOT_APPROVED}', MESSAGE = format(
                                'payout batch %s: the rejection of the bank is missing', OLD.id);
                        END IF;
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(
                name="outflow_is_what_was_signed",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("state"),
                condition=pgtrigger.Condition(
                    "OLD.state <> NEW.state AND NEW.state IN ('exported', 'transmitted')"
                ),
                func=f"""
                    IF ((NEW.items::bigint, NEW.total_minor::numeric) = (
                        SELECT count(*), coalesce(sum(o.amount_minor), 0) FROM refunds_payout o
                        WHERE o.batch_id = NEW.id AND o.state IN ('batched', 'exported'))) IS NOT TRUE
                    THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.BATCH_NOT_APPROVED}', MESSAGE = format(
                            'payout batch %s: its payouts are not what was signed', OLD.id);
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"payout batch {self.pk}"

    @property
    def subject(self) -> str:
        return f"payout_batch:{self.pk}"

    @transition(
        field="state",
        source="open",
        target="sealed",
        permission="refunds.make_payout_batch",
        custom={"system": True},
    )
    def seal(self) -> None:
        """File, hash, totals and number are stored and cannot change."""

    @transition(
        field="state",
        source="sealed",
        target="submitted_for_approval",
        permission="refunds.make_payout_batch",
        custom={"system": True},
    )
    def submit(self) -> None:
        """It waits for the approvers."""

    @transition(
        field="state",
        source="submitted_for_approval",
        target="approved",
        permission="refunds.approve_payout_batch",
    )
    def approve(self) -> None:
        """One other person agreed to exactly this file, or two above the limit."""

    @transition(
        field="state",
        source="submitted_for_approval",
        target="rejected",
        permission="refunds.approve_payout_batch",
    )
    def reject(self) -> None:
        """It will not be sent; its payouts wait for a new batch."""

    @transition(
        field="state",
        source="approved",
        target="releasing",
        permission="refunds.make_payout_batch",
        custom={"system": True},
    )
    def release(self) -> None:
        """The file leaves at `leaves_at`, unless somebody stops it before."""

    @transition(
        field="state",
        source="releasing",
        target="approved",
        permission="refunds.stop_release",
    )
    def stop_release(self) -> None:
        """The file stays, and can be released again or voided."""

    @transition(
        field="state",
        source="releasing",
        target="exported",
        permission="refunds.make_payout_batch",
        custom={"system": True},
    )
    def export(self) -> None:
        """The file left the database."""

    @transition(
        field="state",
        source="exported",
        target="transmitted",
        permission="refunds.transmit_payout_batch",
    )
    def transmit(self) -> None:
        """A third person sent the file to the bank."""

    @transition(
        field="state",
        source="transmitted",
        target="bank_accepted",
        permission="refunds.reconcile",
        custom={"system": True},
    )
    def accept(self) -> None:
        """The bank took the file."""

    @transition(
        field="state",
        source="transmitted",
        target="bank_rejected",
        permission="refunds.approve_payout_batch",
    )
    def refuse(self) -> None:
        """The bank refused the whole file; its payouts wait for a new batch."""

    @transition(
        field="state",
        source="bank_accepted",
        target="executed",
        permission="refunds.reconcile",
        custom={"system": True},
    )
    def execute(self) -> None:
        """The value date came."""

    @transition(
        field="state",
        source="executed",
        target="reconciling",
        permission="refunds.reconcile",
        custom={"system": True},
    )
    def begin_reconciliation(self) -> None:
        """The bank's first results are in."""

    @transition(
        field="state",
        source="reconciling",
        target="reconciled",
        permission="refunds.reconcile",
        custom={"system": True},
    )
    def reconcile(self) -> None:
        """Every payout of it is settled or came back."""

    @transition(
        field="state",
        source="reconciled",
        target="reconciling",
        permission="refunds.reconcile",
        custom={"system": True},
    )
    def void_result(self) -> None:
        """Two people voided a file of the bank: payouts of it are open again."""

    @transition(
        field="state",
        source="reconciled",
        target="closed",
        permission="refunds.reconcile",
    )
    def close(self) -> None:
        """Nothing more is expected."""

    @transition(
        field="state",
        source="reconciling",
        target="closed",
        permission="refunds.approve_payout_batch",
    )
    def waive(self) -> None:
        """Two people waive what is open. The bank may still answer."""

    @transition(
        field="state",
        source=[
            "open",
            "sealed",
            "submitted_for_approval",
            "approved",
            "releasing",
            "exported",
        ],
        target="voided",
        permission="refunds.approve_payout_batch",
    )
    def void(self) -> None:
        """It will not be sent; its payouts wait for a new batch."""


class PayoutBatchTransition(TransitionLog):
    pass


class PayoutFilePart(models.Model):
    """A thousand records of a sealed batch's file, encrypted because they have account numbers."""

    batch = models.ForeignKey(
        PayoutBatch, on_delete=models.PROTECT, related_name="parts", db_index=False
    )
    number = models.IntegerField()
    content_sealed = models.BinaryField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["batch", "number"], name="file_part_once_per_batch")
        ]
        triggers = [
            *append_only(),
            *witnessed(),
            Guard(
                name="part_of_open_batch",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=f"""
                    IF (SELECT b.state FROM refunds_payoutbatch b
                        WHERE b.id = NEW.batch_id) <> 'open' THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.PAYOUT_IS_FROZEN}', MESSAGE = format(
                            'payout batch %s is sealed: nothing of it can change', NEW.batch_id);
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"part {self.number} of batch {self.batch_id}"

    def opened(self) -> bytes:
        """Returns the piece of the file. Raises `DataDeleted` once the records of money were."""
        return person_keys.unseal(
            self.content_sealed,
            place=part_place(self.batch_id, self.number),
            person_id=HOUSE,
            data_class=DataClass.MONEY_RECORDS,
        )


def part_place(batch_id: int, number: int) -> str:
    """Returns the place that the encryption of a part of a file is bound to."""
    return f"refunds_payoutfilepart/content/{batch_id}.{number}"
