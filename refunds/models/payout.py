"""Payouts: attempts to transfer an amount. At most one is live at a time."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django_fsm import transition

from refunds.models.entitlement import Entitlement
from refunds.models.method import MethodTerms
from refunds.models.payee import Payee
from refunds.models.payout_batch import PayoutBatch
from winddown.guards import Guard
from winddown.machines.declare import Stateful, machine_guards, state_field
from winddown.models import TransitionLog
from winddown.sqlstates import SqlState
from winddown.witness import witnessed

_DEAD_BATCHES = ", ".join(f"'{state}'" for state in PayoutBatch.DEAD)
_CARRIED_OUT = f"'{PayoutBatch.State.EXECUTED}', '{PayoutBatch.State.RECONCILING}'"
_ON_THE_WAY_OUT = "'checked', 'batched', 'exported'"
_BLOCKED = f"""
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = '{SqlState.HOLDER_IS_BLOCKED}',
            MESSAGE = format('payout %s: its holder may be paid nothing now', wrong);
    END IF;
    RETURN NULL;
"""
# The accounts of everybody who may be paid nothing now: a block of one account of a person is one of
# all of them.
_BLOCKED_ACCOUNTS = """
    (SELECT k.holder_id FROM refunds_paymentblock k
        WHERE k.lifted_at IS NULL AND k.ends_at > winddown_now()
    UNION
    SELECT o.user_id FROM refunds_paymentblock k
        JOIN accounts_personaccount m ON m.user_id = k.holder_id AND m.current
        JOIN accounts_personaccount o ON o.person_id = m.person_id AND o.current
        WHERE k.lifted_at IS NULL AND k.ends_at > winddown_now())
"""
# Questions to the bank about payees have these numbers, of 13 digits.
PAYEE_NUMBERS_FROM = 2 * 10**12
# A line of a payout file has 20 digits: a one, the number of the file at its bank, and the payout's.
_SEQUENCE_DIGITS, _PAYOUT_DIGITS = 7, 12


def reference_of(sequence: int, payout: int) -> str:
    """Returns what the bank calls the one inclusion of a payout in the file of this number."""
    reference = f"1{sequence:0{_SEQUENCE_DIGITS}d}{payout:0{_PAYOUT_DIGITS}d}"
    if len(reference) != 1 + _SEQUENCE_DIGITS + _PAYOUT_DIGITS:
        raise AssertionError(f"{reference} is longer than a reference")
    return reference


def inclusion_of(reference: str) -> tuple[int | None, int | None]:
    """Returns the file number and the payout that `reference_of` was given; nothing for others."""
    if len(reference) != 1 + _SEQUENCE_DIGITS + _PAYOUT_DIGITS or reference[0] != "1":
        return None, None
    return int(reference[1 : 1 + _SEQUENCE_DIGITS]), int(reference[1 + _SEQUENCE_DIGITS :])


# The same in SQL, of the columns `sequence` and `payout_id`.
REFERENCE_SQL = (
    f"'1' || lpad(sent.sequence::text, {_SEQUENCE_DIGITS}, '0')"
    f" || lpad(sent.payout_id::text, {_PAYOUT_DIGITS}, '0')"
)


class Payout(Stateful):
    """ready -> checked -> batched -> exported -> executed -> settled | returned; exported -> settled
    | returned when the bank's answer is the first word that its batch was carried out; settled ->
    returned when the bank sends it back later; returned -> settled when it was paid after all;
    settled | returned -> executed when the file that said so is void;
    returned -> uncollectable; exported -> recalled; batched | exported -> ready when the batch was
    rejected or voided; ready | checked -> cancelled when it is not to be paid any more.

    The next attempt after a return is a new payout. `live` becomes false when the payout comes back
    or is cancelled. So an entitlement has at most one payout that is live or arrived, even after a
    crash (rules 27 and 53).
    """

    class State(models.TextChoices):
        READY = "ready"
        CHECKED = "checked"
        BATCHED = "batched"
        EXPORTED = "exported"
        EXECUTED = "executed"
        SETTLED = "settled"
        RETURNED = "returned"
        UNCOLLECTABLE = "uncollectable"
        RECALLED = "recalled"
        CANCELLED = "cancelled"

    initial_states = (State.READY, State.CHECKED)
    OUTSIDE_BATCHES = (State.READY, State.CHECKED)
    """The payout waits for a batch."""
    REMOVABLE = (State.BATCHED, State.EXPORTED)
    """The payout can be taken out of its batch: the bank has not carried the file out."""
    AT_THE_BANK = (State.EXPORTED, State.EXECUTED)
    """Its file left the database, and the bank may answer."""
    LEAVING = (*REMOVABLE, State.EXECUTED)
    """The money is on its way to the bank or through it."""
    IN_FLIGHT = (*OUTSIDE_BATCHES, *LEAVING)
    """The ledger carries the amount under payouts_in_flight."""
    ARRIVED = (State.SETTLED,)
    """The bank has shown that the money arrived."""
    SENT_BACK = (State.RETURNED, State.UNCOLLECTABLE)
    """The bank returned the money."""
    CAME_BACK = (*SENT_BACK, State.RECALLED)
    """The money is with us again."""
    DEAD = (*CAME_BACK, State.CANCELLED)
    """Another payout may live for the same thing."""
    ENDED = (*ARRIVED, *DEAD)
    """The outcome is known."""

    entitlement = models.ForeignKey(
        Entitlement,
        null=True,
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="payouts",
    )
    remedy = models.ForeignKey(
        "refunds.Remedy",
        null=True,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="payouts",
    )
    holder = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        db_constraint=False,
        related_name="payouts",
    )
    payee = models.ForeignKey(
        Payee, null=True, on_delete=models.PROTECT, db_index=False, related_name="payouts"
    )
    batch = models.ForeignKey(
        PayoutBatch, null=True, on_delete=models.PROTECT, related_name="payouts"
    )
    method = models.CharField(
        max_length=16,
        default=MethodTerms.BANK,
        db_default=MethodTerms.BANK,
        help_text="How it is paid: an entry of the registry of payout methods.",
    )
    amount_minor = models.BigIntegerField()
    attempt = models.SmallIntegerField(default=1)
    state = state_field(State, initial=State.READY)
    live = models.BooleanField(default=True)
    return_reason = models.CharField(max_length=24, blank=True)
    result_file = models.ForeignKey(
        "refunds.BankFile", null=True, on_delete=models.PROTECT, db_index=False, related_name="+"
    )
    booked_at = models.DateTimeField()
    result_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(entitlement__isnull=False, remedy=None)
                | Q(entitlement=None, remedy__isnull=False),
                name="payout_for_one_thing",
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__range=(1, 9_999_999_999)), name="payout_fits_a_transfer"
            ),
            models.CheckConstraint(condition=Q(attempt__gte=1), name="attempts_count_from_one"),
            models.UniqueConstraint(
                fields=["entitlement"], condition=Q(live=True), name="one_live_payout_per_claim"
            ),
            models.UniqueConstraint(
                fields=["remedy"], condition=Q(live=True), name="one_live_payout_per_remedy"
            ),
            models.UniqueConstraint(fields=["entitlement", "attempt"], name="payout_attempt_once"),
            models.UniqueConstraint(fields=["remedy", "attempt"], name="remedy_attempt_once"),
            models.CheckConstraint(
                condition=Q(
                    live=True,
                    state__in=["ready", "checked", "batched", "exported", "executed", "settled"],
                )
                | Q(live=False, state__in=["returned", "uncollectable", "recalled", "cancelled"]),
                name="payout_live_until_it_came_back",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["ready", "checked", "cancelled"], batch=None)
                | (~Q(state__in=["ready", "checked", "cancelled"]) & Q(batch__isnull=False)),
                name="payout_in_a_batch_from_batched_on",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["ready", "cancelled"])
                | Q(payee__isnull=False, method=MethodTerms.BANK)
                | (Q(payee=None, entitlement__isnull=False) & ~Q(method=MethodTerms.BANK)),
                name="checked_payout_has_payee",
            ),
            models.CheckConstraint(
                condition=(
                    Q(result_file=None, result_at=None, return_reason="")
                    & ~Q(state__in=["settled", "returned", "uncollectable"])
                )
                | Q(
                    result_file__isnull=False,
                    result_at__isnull=False,
                    state__in=["settled", "returned", "uncollectable"],
                ),
                name="result_comes_from_a_bank_file",
            ),
        ]
        triggers = [
            *machine_guards(),
            *witnessed(
                "entitlement_id",
                "remedy_id",
                "holder_id",
                "payee_id",
                "amount_minor",
                "attempt",
                "batch_id",
                "result_file_id",
                "result_at",
                "return_reason",
                "method",
                in_sets=True,
                older=({"method": "'bank'"},),
            ),
            Guard(
                name="not_paid_in_doubt",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                condition=pgtrigger.Q(
                    new__remedy_id__isnull=False, new__state__in=["checked", "batched", "exported"]
                ),
                func=f"""
                    IF (TG_OP = 'INSERT' OR NEW.state <> OLD.state) AND EXISTS (
                        SELECT FROM refunds_doubt d JOIN refunds_remedy r ON r.id = d.remedy_id
                        JOIN refunds_remedy mine ON mine.loss_id = r.loss_id
                        WHERE mine.id = NEW.remedy_id AND d.verdict = ''
                            AND d.kind <> 'paid_twice') THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.NOT_APPROVED}',
                            MESSAGE = format('payout of remedy %s waits until two people decide'
                                ' what its issuer did', NEW.remedy_id);
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(
                name="payout_is_fixed",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                referencing=pgtrigger.Referencing(old="before", new="after"),
                declare=[("wrong", "bigint"), ("early", "bigint")],
                func=f"""
                    SELECT min(a.id) FILTER (WHERE NOT c.first_word),
                        min(a.id) FILTER (WHERE c.first_word) INTO wrong, early
                    FROM before b JOIN after a ON a.id = b.id
                    LEFT JOIN refunds_payoutbatch o ON o.id = b.batch_id
                    LEFT JOIN refunds_payoutbatch n ON n.id = a.batch_id
                    CROSS JOIN LATERAL (SELECT (b.state = 'exported'
                        AND a.state IN ('settled', 'returned')
                        AND n.state NOT IN ({_CARRIED_OUT})) IS TRUE AS first_word) c
                    WHERE (a.entitlement_id, a.remedy_id, a.holder_id, a.amount_minor, a.attempt,
                              a.method)
                          IS DISTINCT FROM (b.entitlement_id, b.remedy_id, b.holder_id,
                              b.amount_minor, b.attempt, b.method)
                       OR (b.batch_id IS NOT NULL AND a.batch_id IS NOT NULL
                           AND (a.payee_id, a.batch_id) IS DISTINCT FROM (b.payee_id, b.batch_id))
                       OR (b.result_file_id IS NOT NULL
                           AND (a.result_file_id, a.result_at, a.return_reason)
                           IS DISTINCT FROM (b.result_file_id, b.result_at, b.return_reason)
                           AND NOT EXISTS (SELECT FROM refunds_voidedfile v
                               WHERE v.file_id = b.result_file_id)
                           AND NOT EXISTS (SELECT FROM refunds_replacedresult r
                               WHERE r.payout_id = a.id AND r.by_id = a.result_file_id
                                 AND (r.file_id, r.state, r.return_reason, r.result_at)
                                   = (b.result_file_id, b.state, b.return_reason, b.result_at)))
                       OR (a.live AND NOT b.live
                           AND NOT (b.state = 'returned'
                               AND a.state IN ('settled', 'executed')))
                       OR (a.batch_id IS DISTINCT FROM b.batch_id
                           AND (n.state <> '{PayoutBatch.State.OPEN}' OR n.method <> a.method
                               OR o.state NOT IN ({_DEAD_BATCHES})))
                       OR c.first_word;
                    IF wrong IS NOT NULL THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.PAYOUT_IS_FROZEN}', MESSAGE = format(
                            'payout %s: what it pays, and what a sealed batch holds, is fixed',
                            wrong);
                    END IF;
                    IF early IS NOT NULL THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.PAYOUT_IS_FROZEN}', MESSAGE = format(
                            'payout %s: its batch was not carried out, so it has no result', early);
                    END IF;
                    RETURN NULL;
                """,
            ),
            Guard(
                name="nobody_blocked_is_booked",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="after"),
                declare=[("wrong", "bigint")],
                func=f"""
                    SELECT min(a.id) INTO wrong FROM after a JOIN {_BLOCKED_ACCOUNTS} k
                        ON k.holder_id = a.holder_id;
                    {_BLOCKED}
                """,
            ),
            Guard(
                name="nobody_blocked_is_sent",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                referencing=pgtrigger.Referencing(old="before", new="after"),
                declare=[("wrong", "bigint")],
                func=f"""
                    SELECT min(a.id) INTO wrong FROM before b JOIN after a ON a.id = b.id
                    JOIN {_BLOCKED_ACCOUNTS} k ON k.holder_id = a.holder_id
                    WHERE a.state <> b.state AND a.state IN ({_ON_THE_WAY_OUT});
                    {_BLOCKED}
                """,
            ),
            Guard(
                name="payout_starts_outside_batches",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="after"),
                func=f"""
                    IF (SELECT count(*) FROM after
                        WHERE batch_id IS NOT NULL OR result_file_id IS NOT NULL) > 0 THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.PAYOUT_IS_FROZEN}',
                            MESSAGE = 'a new payout is in no batch and has no result';
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"payout {self.pk}"

    @property
    def reference(self) -> str:
        """What the file of its present batch calls it. Empty outside sealed batches."""
        sequence = self.batch.sequence if self.batch else None
        return reference_of(sequence, self.pk) if sequence else ""

    @transition(
        field="state",
        source="ready",
        target="checked",
        permission="refunds.make_payout_batch",
        custom={"system": True},
    )
    def check_payee(self) -> None:
        """Its payee is usable and known to the bank."""

    @transition(
        field="state",
        source="checked",
        target="batched",
        permission="refunds.make_payout_batch",
        custom={"system": True},
    )
    def put_in_batch(self) -> None:
        """It is in exactly one batch."""

    @transition(
        field="state",
        source="batched",
        target="exported",
        permission="refunds.make_payout_batch",
        custom={"system": True},
    )
    def export(self) -> None:
        """Its file left the database."""

    @transition(
        field="state",
        source="exported",
        target="executed",
        permission="refunds.reconcile",
        custom={"system": True},
    )
    def execute(self) -> None:
        """The bank carried the file out."""

    @transition(
        field="state",
        source=["exported", "executed", "returned"],
        target="settled",
        permission="refunds.reconcile",
        custom={"system": True},
    )
    def settle(self) -> None:
        """The bank's evidence shows that it arrived, perhaps after it had reported a return."""

    @transition(
        field="state",
        source=["exported", "executed", "settled"],
        target="returned",
        permission="refunds.reconcile",
        custom={"system": True},
    )
    def give_back(self) -> None:
        """The bank sent the money back, perhaps days after it had reported the payment."""

    @transition(
        field="state",
        source=["settled", "returned"],
        target="executed",
        permission="refunds.reconcile",
        custom={"system": True},
    )
    def void_result(self) -> None:
        """Two people voided the file that told what became of it: the bank has not answered."""

    @transition(
        field="state",
        source=["ready", "checked"],
        target="cancelled",
        permission="refunds.reconcile",
        custom={"system": True},
    )
    def cancel(self) -> None:
        """It is never sent: the payout before it was paid after all, or its application ended."""

    @transition(
        field="state",
        source="returned",
        target="uncollectable",
        permission="refunds.reconcile",
    )
    def give_up(self) -> None:
        """No further transfer will be tried."""

    @transition(
        field="state",
        source="exported",
        target="recalled",
        permission="refunds.reconcile",
    )
    def recall(self) -> None:
        """We asked the bank for the money back and got it."""

    @transition(
        field="state",
        source=["batched", "exported"],
        target="ready",
        permission="refunds.make_payout_batch",
        custom={"system": True},
    )
    def take_out(self) -> None:
        """Its batch will not be paid, so it waits for another."""


class PayoutTransition(TransitionLog):
    pass
