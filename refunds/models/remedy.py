"""Remedies: the routes by which one loss is made good. Exactly one of them may succeed."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django_fsm import transition

from refunds.models.loss import Loss
from winddown.guards import Guard, columns_are_fixed
from winddown.machines.declare import Stateful, machine_guards, state_field
from winddown.models import TransitionLog
from winddown.sqlstates import SqlState
from winddown.witness import witnessed


class Remedy(Stateful):
    """proposed -> asked -> remedied; proposed | asked -> failed; remedied -> asked when the money of
    a compensation came back; remedied -> contested -> remedied | failed when an issuer took its word
    back, and two people decided which word is true.

    A loss has at most one remedy that has neither failed nor is contested, and a remedied one never
    fails. So no loss is remedied twice, even by concurrent calls (rule 17). Only a confirmed loss
    has one, and what it is of, its kind and its amount never change. A compensation is remedied
    exactly while its payout counts as arrived, or when nothing of it is to be paid: `netted_minor`
    of it the holder had already, out of what the thief charged.
    """

    class State(models.TextChoices):
        PROPOSED = "proposed"
        ASKED = "asked"
        REMEDIED = "remedied"
        FAILED = "failed"
        CONTESTED = "contested"

    class Kind(models.TextChoices):
        STOP_DEBIT = "stop_debit"
        ISSUER_REFUND = "issuer_refund"
        DEBIT_REIMBURSEMENT = "debit_reimbursement"
        CHARGEBACK_ACCEPTED = "chargeback_accepted"
        COMPENSATION_PAYOUT = "compensation_payout"
        POINTS_RECREDIT = "points_recredit"
        BONUS_RECREDIT = "bonus_recredit"

    class Failure(models.TextChoices):
        TOO_LATE = "too_late"
        DECLINED = "declined"
        SUPERSEDED = "superseded"
        UNDELIVERABLE = "undeliverable"

    UNDER_WAY = (State.PROPOSED, State.ASKED)
    """The route is open and has not ended."""
    DONE = (State.REMEDIED,)
    """The loss is made good."""
    LIVE = (*UNDER_WAY, *DONE)
    """The one remedy that a loss can have."""
    GIVEN_UP = (State.FAILED, State.CONTESTED)
    """The route did not make the loss good, or is not believed to; another may be opened."""

    RECREDITS = (Kind.POINTS_RECREDIT, Kind.BONUS_RECREDIT)
    """The operator credits again what was spent."""
    BY_ISSUER = (Kind.STOP_DEBIT, Kind.ISSUER_REFUND, Kind.DEBIT_REIMBURSEMENT)

    loss = models.ForeignKey(Loss, on_delete=models.PROTECT, related_name="remedies")
    kind = models.CharField(max_length=24, choices=Kind.choices)
    amount_minor = models.BigIntegerField()
    netted_minor = models.BigIntegerField(
        default=0, db_default=0, help_text="What the holder has already of the thief's charges."
    )
    state = state_field(State, initial=State.PROPOSED)
    proposed_at = models.DateTimeField()
    asked_at = models.DateTimeField(null=True)
    remedied_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=20, choices=Failure.choices, blank=True)

    class Meta:
        default_permissions = ()
        triggers = [
            *machine_guards(),
            *witnessed(older=({"netted_minor": "0"},)),
            columns_are_fixed("loss_id", "kind", "amount_minor", "netted_minor"),
            Guard(
                name="netted_within_what_the_holder_had",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Q(new__netted_minor__gt=0),
                func=f"""
                    IF NEW.netted_minor > (
                        SELECT coalesce((SELECT sum(e.amount_minor) FROM refunds_entitlement e
                                WHERE e.wallet_id = c.wallet_id), 0)
                            + coalesce((SELECT sum(p.paid_part_minor) FROM wallets_payment p
                                JOIN refunds_paymentpayer y ON y.payment_id = p.id
                                    AND y.replaced_at IS NULL AND y.payer = 'holder'
                                WHERE p.wallet_id = c.wallet_id
                                    AND p.state IN ('authorised', 'posted')), 0)
                            - coalesce((SELECT sum(r.netted_minor) FROM refunds_remedy r
                                JOIN refunds_loss o ON o.id = r.loss_id
                                WHERE o.claim_id = c.id AND r.state <> 'failed'), 0)
                        FROM refunds_loss l JOIN refunds_fraudclaim c ON c.id = l.claim_id
                        WHERE l.id = NEW.loss_id) THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.LOSS_REFUSED}',
                            MESSAGE = format('loss %s: the holder did not have so much of it',
                                NEW.loss_id);
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(
                name="contested_until_two_decided",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__state="contested")
                & ~pgtrigger.Q(new__state="contested"),
                func=f"""
                    IF NOT EXISTS (SELECT FROM refunds_doubt d WHERE d.remedy_id = NEW.id
                        AND d.verdict = CASE NEW.state WHEN 'remedied' THEN 'first'
                            ELSE 'last' END) THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.NOT_APPROVED}',
                            MESSAGE = format('remedy %s is contested until two people decide',
                                NEW.id);
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(
                name="remedy_of_a_confirmed_loss",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=f"""
                    IF NOT EXISTS (SELECT FROM refunds_loss l
                        WHERE l.id = NEW.loss_id AND l.confirmed_at IS NOT NULL) THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.LOSS_REFUSED}',
                            MESSAGE = format('loss %s is not confirmed', NEW.loss_id);
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(
                name="compensated_while_it_arrived",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                referencing=pgtrigger.Referencing(old="before", new="after"),
                declare=[("wrong", "bigint")],
                func=f"""
                    SELECT min(a.id) INTO wrong FROM before b JOIN after a ON a.id = b.id
                    WHERE a.state <> b.state AND 'remedied' IN (a.state, b.state)
                        AND (a.kind = 'compensation_payout' OR b.state = 'remedied')
                        AND (a.state = 'remedied') <> (a.netted_minor = a.amount_minor
                            OR EXISTS (SELECT FROM refunds_payout o WHERE o.remedy_id = a.id
                                AND o.live AND o.state = 'settled'));
                    IF wrong IS NOT NULL THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.LOSS_WITHOUT_REMEDY}',
                            MESSAGE = format('remedy %s: the bank says something else', wrong);
                    END IF;
                    RETURN NULL;
                """,
            ),
            Guard(
                name="not_beside_a_chargeback",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="after"),
                declare=[("wrong", "bigint")],
                func=f"""
                    SELECT min(a.id) INTO wrong FROM after a JOIN refunds_loss l ON l.id = a.loss_id
                    JOIN refunds_chargeback k ON k.top_up_id = l.top_up_id
                    WHERE a.kind <> 'chargeback_accepted' AND k.state <> 'notified'
                        AND k.credited_by_id IS NULL AND k.returned_at IS NULL;
                    IF wrong IS NOT NULL THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.CREDIT_ALREADY_PROCESSED}',
                            MESSAGE = format('remedy %s: a chargeback took the charge back', wrong);
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["loss"], condition=Q(state="remedied"), name="one_remedied_per_loss"
            ),
            models.UniqueConstraint(
                fields=["loss"],
                condition=~Q(state__in=["failed", "contested"]),
                name="one_live_remedy_per_loss",
            ),
            models.CheckConstraint(
                condition=Q(netted_minor=0)
                | Q(
                    kind="compensation_payout",
                    netted_minor__gt=0,
                    netted_minor__lte=models.F("amount_minor"),
                ),
                name="netted_part_of_a_compensation",
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="remedy_positive"),
            models.CheckConstraint(
                condition=~Q(state="remedied") | Q(remedied_at__isnull=False),
                name="remedied_has_its_instant",
            ),
            models.CheckConstraint(
                condition=~Q(state="failed") | ~Q(failure=""), name="failed_remedy_has_its_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"remedy {self.pk}"

    @property
    def payable_minor(self) -> int:
        """Returns what is left to pay of a compensation."""
        return self.amount_minor - self.netted_minor

    @transition(
        field="state",
        source="proposed",
        target="asked",
        permission="refunds.send_issuer_action",
        custom={"system": True},
    )
    def ask(self) -> None:
        """The issuer was asked, or the payout is ready."""

    @transition(
        field="state",
        source="asked",
        target="remedied",
        permission="refunds.send_issuer_action",
        custom={"system": True},
    )
    def remedy(self) -> None:
        """The loss is made good."""

    @transition(
        field="state",
        source="remedied",
        target="asked",
        permission="refunds.reconcile",
        custom={"system": True},
    )
    def give_back(self) -> None:
        """The bank sent the money back, or its word is void: the victim is owed it again."""

    @transition(
        field="state",
        source=["proposed", "asked", "contested"],
        target="failed",
        permission="refunds.send_issuer_action",
        custom={"system": True},
    )
    def fail(self) -> None:
        """This route did not make the loss good; the next one may be taken."""

    @transition(
        field="state",
        source="remedied",
        target="contested",
        permission="refunds.send_issuer_action",
        custom={"system": True},
    )
    def contest(self) -> None:
        """The issuer took its word back: the loss is owed again until two people decide."""

    @transition(
        field="state",
        source="contested",
        target="remedied",
        permission="refunds.approve_issuer_action",
        custom={"system": True},
    )
    def uphold(self) -> None:
        """Two people found that the earlier word is true."""


class RemedyTransition(TransitionLog):
    pass
