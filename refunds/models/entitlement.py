"""Entitlements: what each wallet's holder is owed, from sealed balance to bank evidence."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django_fsm import transition

from refunds.models.tracing import kept
from winddown.guards import Guard, columns_are_fixed
from winddown.machines.declare import Stateful, machine_guards, state_field
from winddown.models import TransitionLog
from winddown.sqlstates import SqlState
from winddown.witness import witnessed


class Entitlement(Stateful):
    """computed -> notified -> applied -> approved -> paying -> paid; paying | paid -> returned ->
    applied; returned | applied | approved -> paid when a return was none; computed | notified ->
    excluded -> late_approved -> paying; any unpaid -> held -> computed; any unpaid -> transferred;
    computed | notified | excluded -> deposited; deposited | transferred -> computed when the
    institution gives it back; applied | approved | returned -> notified, or ->
    excluded for a late claim, when the application ends unpaid; paying -> approved when a payout in
    no batch is dropped.

    The entitlements of a wallet come to the paid value of the sealed snapshot, less what a hold
    still keeps in the wallet and what was clawed back since. `part` counts them: the first is what
    was free at the close, a further one what a hold set free. A mass table: no index on the state.
    """

    class State(models.TextChoices):
        COMPUTED = "computed"
        NOTIFIED = "notified"
        APPLIED = "applied"
        APPROVED = "approved"
        PAYING = "paying"
        PAID = "paid"
        RETURNED = "returned"
        EXCLUDED = "excluded"
        LATE_APPROVED = "late_approved"
        HELD = "held"
        TRANSFERRED = "transferred"
        DEPOSITED = "deposited"

    initial_states = (State.COMPUTED, State.HELD)
    APPLICABLE = (State.COMPUTED, State.NOTIFIED)
    """Nobody has applied for the amount, and its holder may do so."""
    PAYABLE = (State.APPROVED, State.LATE_APPROVED)
    """The amount may be paid; no payout is under way."""
    OWED = (*APPLICABLE, State.APPLIED, *PAYABLE, State.RETURNED, State.HELD)
    """The ledger carries the amount under refunds_payable: it is owed, and not on its way."""
    AFTER_A_RETURN = (State.RETURNED, State.APPLIED, State.APPROVED)
    """A transfer came back, and no other one is under way: it may turn out that it was paid."""
    UNPAID = (*OWED, State.PAYING)
    """The holder still gets the amount, or may get it."""
    DISCHARGED = (State.PAID, State.TRANSFERRED, State.DEPOSITED)
    """We owe the amount no longer: it was paid, or another institution has it."""
    ELSEWHERE = (State.TRANSFERRED, State.DEPOSITED)
    """The holder asks another institution for the amount."""
    ENDED = (*DISCHARGED, State.EXCLUDED)
    """Nothing will be paid, unless a late claim brings an excluded amount back."""
    BEHIND_EXCLUSION = (*OWED, State.PAYING, State.EXCLUDED)
    """The wallet may be excluded: a late claim goes on while its wallet stays so until paid."""

    wallet = models.ForeignKey(
        "wallets.Wallet",
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="entitlements",
    )
    part = models.SmallIntegerField(default=1, help_text="1 for what was free at the close.")
    snapshot = models.ForeignKey(
        "wallets.Snapshot", on_delete=models.PROTECT, db_constraint=False, db_index=False
    )
    amount_minor = models.BigIntegerField()
    state = state_field(State, initial=State.COMPUTED)
    returns = models.SmallIntegerField(default=0, help_text="Transfers that came back.")
    postal_order_offered = models.BooleanField(default=False)
    notice_undeliverable = models.BooleanField(
        default=False, help_text="The individual notice did not arrive: not excluded (rule 42)."
    )

    class Meta:
        default_permissions = ()
        triggers = [
            *machine_guards(),
            *witnessed("wallet_id", "snapshot_id", "amount_minor", "returns"),
            columns_are_fixed("wallet_id", "part", "snapshot_id"),
            Guard(
                name="amount_is_fixed",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("amount_minor"),
                condition=pgtrigger.Condition("OLD.amount_minor IS DISTINCT FROM NEW.amount_minor"),
                func=f"""
                    IF NEW.state <> 'transferred' OR NOT EXISTS (
                        SELECT FROM refunds_otherendline l
                        JOIN refunds_entitlement rest ON rest.id = l.rest_id
                        WHERE l.entitlement_id = NEW.id AND l.taken_minor = NEW.amount_minor
                            AND (rest.wallet_id, rest.snapshot_id)
                                = (NEW.wallet_id, NEW.snapshot_id)
                            AND rest.amount_minor = OLD.amount_minor - NEW.amount_minor)
                    THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.COLUMN_IS_FIXED}',
                            MESSAGE = format('%s %s: amount_minor cannot change any more',
                                TG_TABLE_NAME, OLD.id);
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(
                name="excluded_after_its_time",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                referencing=pgtrigger.Referencing(old="before", new="after"),
                declare=[("wrong", "bigint")],
                func=f"""
                    SELECT min(a.id) INTO wrong FROM before b JOIN after a ON a.id = b.id
                    WHERE a.state = 'excluded' AND b.state IN ('computed', 'notified') AND (
                        NOT EXISTS (SELECT FROM winddown_milestone m
                            WHERE m.kind = 'refund_window_ends' AND m.at <= winddown_now())
                        OR EXISTS (SELECT FROM refunds_reconciliationbreak k
                            WHERE k.state = 'open')
                        OR {kept("a")});
                    IF wrong IS NOT NULL THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.NOT_TO_BE_EXCLUDED}',
                            MESSAGE = format('entitlement %s may not be excluded yet', wrong);
                    END IF;
                    RETURN NULL;
                """,
            ),
            Guard(
                name="ended_elsewhere_by_two",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                referencing=pgtrigger.Referencing(old="before", new="after"),
                declare=[("wrong", "bigint")],
                func=f"""
                    -- Counted first, because the rows need no comparison where none is elsewhere.
                    IF (SELECT count(*) FROM after WHERE state IN ('deposited', 'transferred'))
                        + (SELECT count(*) FROM before WHERE state IN ('deposited', 'transferred'))
                        = 0 THEN
                        RETURN NULL;
                    END IF;
                    SELECT min(a.id) INTO wrong FROM before b JOIN after a ON a.id = b.id
                    WHERE a.state <> b.state
                        AND (a.state IN ('deposited', 'transferred')
                            OR b.state IN ('deposited', 'transferred'))
                        AND (SELECT d.kind FROM refunds_otherendline l
                            JOIN refunds_otherend d ON d.id = l.end_id
                            WHERE l.entitlement_id = a.id ORDER BY l.id DESC LIMIT 1)
                        IS DISTINCT FROM CASE WHEN a.state IN ('deposited', 'transferred')
                            THEN a.state ELSE 'returned' END;
                    IF wrong IS NOT NULL THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.NOT_APPROVED}',
                            MESSAGE = format(
                                'entitlement %s is in no list that two people signed', wrong);
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["wallet", "part"], name="entitlement_part_once"),
            models.CheckConstraint(condition=Q(part__gte=1), name="parts_count_from_one"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="entitlement_positive"),
            models.CheckConstraint(condition=Q(returns__gte=0), name="returns_not_negative"),
        ]

    def __str__(self) -> str:
        return f"entitlement {self.pk}"

    @transition(
        field="state",
        source="computed",
        target="notified",
        permission="refunds.work_application",
        custom={"system": True},
    )
    def notify(self) -> None:
        """The holder was told what is owed and how to claim it."""

    @transition(
        field="state",
        source=["computed", "notified", "returned"],
        target="applied",
        permission="",
        custom={"system": True},
    )
    def apply(self) -> None:
        """The holder asked for the money."""

    @transition(
        field="state",
        source=["applied", "returned"],
        target="notified",
        permission="",
        custom={"system": True},
    )
    def unapply(self) -> None:
        """The application was withdrawn or rejected."""

    @transition(
        field="state",
        source="applied",
        target="approved",
        permission="refunds.decide_application",
        custom={"system": True},
    )
    def approve(self) -> None:
        """The application passed the rules, or a second person agreed."""

    @transition(
        field="state",
        source="approved",
        target="notified",
        permission="",
        custom={"system": True},
    )
    def withdraw(self) -> None:
        """The holder took the approved application back before a payout was made."""

    @transition(
        field="state",
        source=["approved", "late_approved"],
        target="paying",
        permission="refunds.make_payout_batch",
        custom={"system": True},
    )
    def pay(self) -> None:
        """A payout is under way."""

    @transition(
        field="state",
        source=["paying", "returned", "applied", "approved"],
        target="paid",
        permission="refunds.reconcile",
        custom={"system": True},
    )
    def settle(self) -> None:
        """The bank's evidence shows that the money arrived, perhaps after a return that was none."""

    @transition(
        field="state",
        source=["paying", "paid"],
        target="returned",
        permission="refunds.reconcile",
        custom={"system": True},
    )
    def give_back(self) -> None:
        """The transfer came back, perhaps days later; the holder is asked for another account."""

    @transition(
        field="state",
        source=["paid", "returned"],
        target="paying",
        permission="refunds.reconcile",
        custom={"system": True},
    )
    def void_result(self) -> None:
        """Two people voided the file of the bank: its payout is under way again."""

    @transition(
        field="state",
        source="paying",
        target="approved",
        permission="",
        custom={"system": True},
    )
    def take_back(self) -> None:
        """Its payout was in no batch and will not be paid."""

    @transition(
        field="state",
        source=["computed", "notified"],
        target="excluded",
        permission="winddown.post_exclusion",
        custom={"system": True},
    )
    def exclude(self) -> None:
        """The window passed without an application."""

    @transition(
        field="state",
        source="excluded",
        target="late_approved",
        permission="refunds.approve_late_claim",
    )
    def approve_late(self) -> None:
        """A late claim was found justified by a second person."""

    @transition(
        field="state",
        source=["late_approved", "applied", "approved", "returned"],
        target="excluded",
        permission="",
        custom={"system": True},
    )
    def exclude_again(self) -> None:
        """A late claim that was approved ended unpaid."""

    @transition(
        field="state",
        source=["computed", "notified", "applied", "approved", "returned", "late_approved"],
        target="held",
        permission="refunds.hold_entitlement",
        custom={"system": True},
    )
    def hold(self) -> None:
        """Nothing is paid while a suspicion stands."""

    @transition(
        field="state",
        source="held",
        target="computed",
        permission="wallets.release_wallet",
    )
    def release(self) -> None:
        """The suspicion is gone; the holder may apply."""

    @transition(
        field="state",
        source=[
            "computed",
            "notified",
            "applied",
            "approved",
            "late_approved",
            "returned",
            "held",
        ],
        target="transferred",
        permission="winddown.post_exclusion",
        custom={"system": True},
    )
    def transfer(self) -> None:
        """Another issuer took the obligation over."""

    @transition(
        field="state",
        source=["computed", "notified", "excluded"],
        target="deposited",
        permission="winddown.post_exclusion",
        custom={"system": True},
    )
    def deposit(self) -> None:
        """The authority has the amount, for the holder."""

    @transition(
        field="state",
        source=["deposited", "transferred"],
        target="computed",
        permission="winddown.post_exclusion",
        custom={"system": True},
    )
    def come_back(self) -> None:
        """The institution gave the amount back to us: it is owed again."""


class EntitlementTransition(TransitionLog):
    pass
