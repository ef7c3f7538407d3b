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
    a compensation came back.

    A loss has at most one remedy that has not failed, and a remedied one never fails. So no loss is
    remedied twice, even by concurrent calls (rule 17). Only a confirmed loss has one, and what it is
    of, its kind and its amount never change. A compensation is remedied exactly while its
    payout counts as arrived.
    """

    class State(models.TextChoices):
        PROPOSED = "proposed"
        ASKED = "asked"
        REMEDIED = "remedied"
        FAILED = "failed"

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
    GIVEN_UP = (State.FAILED,)
    """The route ended without making the loss good; another may be opened."""

    RECREDITS = (Kind.POINTS_RECREDIT, Kind.BONUS_RECREDIT)
    """The operator credits again what was spent."""
    BY_ISSUER = (Kind.STOP_DEBIT, Kind.ISSUER_REFUND, Kind.DEBIT_REIMBURSEMENT)

    loss = models.ForeignKey(Loss, on_delete=models.PROTECT, related_name="remedies")
    kind = models.CharField(max_length=24, choices=Kind.choices)
    amount_minor = models.BigIntegerField()
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
            *witnessed(),
            columns_are_fixed("loss_id", "kind", "amount_minor"),
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
                        AND (a.state = 'remedied') <> EXISTS (SELECT FROM refunds_payout o
                            WHERE o.remedy_id = a.id AND o.live AND o.state = 'settled');
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
                fields=["loss"], condition=~Q(state="failed"), name="one_live_remedy_per_loss"
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
        source=["proposed", "asked"],
        target="failed",
        permission="refunds.send_issuer_action",
        custom={"system": True},
    )
    def fail(self) -> None:
        """This route did not make the loss good; the next one may be taken."""


class RemedyTransition(TransitionLog):
    pass
