"""Inbound chargebacks: an issuer pulls money back through the card scheme."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django_fsm import transition

from refunds.models.issuer import Issuer
from refunds.models.remedy import Remedy
from winddown.guards import Guard
from winddown.machines.declare import Stateful, machine_guards, state_field
from winddown.models import TransitionLog
from winddown.sqlstates import SqlState
from winddown.witness import witnessed


class Chargeback(Stateful):
    """notified -> received -> accepting -> accepted -> closed;
    received -> representing -> represented -> prearb -> arbitration -> won | lost -> closed;
    represented | prearb -> won | lost;
    received | accepting | representing | prearb -> lapsed -> closed.

    A charge that was already made good is answered with the reference of that credit, never
    accepted (rule 21).
    """

    class State(models.TextChoices):
        NOTIFIED = "notified"
        RECEIVED = "received"
        ACCEPTING = "accepting"
        REPRESENTING = "representing"
        ACCEPTED = "accepted"
        REPRESENTED = "represented"
        PREARB = "prearb"
        ARBITRATION = "arbitration"
        WON = "won"
        LOST = "lost"
        LAPSED = "lapsed"
        CLOSED = "closed"

    ALONE = (
        State.NOTIFIED,
        State.RECEIVED,
        State.ACCEPTING,
        State.REPRESENTING,
        State.ACCEPTED,
        State.REPRESENTED,
        State.PREARB,
        State.ARBITRATION,
        State.WON,
        State.LOST,
        State.LAPSED,
        State.CLOSED,
    )
    """Asked for one at a time: no set of states has the same meaning."""

    issuer = models.ForeignKey(Issuer, on_delete=models.PROTECT, related_name="chargebacks")
    chargeback_ref = models.CharField(max_length=40, unique=True)
    scheme = models.CharField(max_length=20)
    scheme_reason = models.CharField(max_length=10)
    arn = models.CharField(max_length=30, blank=True)
    rrn = models.CharField(max_length=12, blank=True)
    amount_minor = models.BigIntegerField()
    top_up = models.ForeignKey(
        "wallets.TopUp", null=True, on_delete=models.PROTECT, related_name="chargebacks"
    )
    credited_by = models.ForeignKey(
        "refunds.Remedy", null=True, on_delete=models.PROTECT, related_name="+"
    )
    refund_arn = models.CharField(max_length=30, blank=True)
    state = state_field(State, initial=State.NOTIFIED)
    notified_at = models.DateTimeField()
    due_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="chargeback_positive"),
            models.CheckConstraint(
                condition=~(Q(arn="") & Q(rrn="")), name="chargeback_names_its_transaction"
            ),
        ]
        triggers = [
            *machine_guards(),
            *witnessed(),
            Guard(
                name="not_accepted_twice",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(new__state__in=["accepting", "accepted"]),
                func=f"""
                    IF EXISTS (
                        SELECT FROM refunds_remedy r JOIN refunds_loss l ON l.id = r.loss_id
                        WHERE l.top_up_id = NEW.top_up_id AND r.state = '{Remedy.State.REMEDIED}'
                            AND r.kind <> '{Remedy.Kind.CHARGEBACK_ACCEPTED}'
                    ) THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.CREDIT_ALREADY_PROCESSED}',
                            MESSAGE = format('chargeback %s: the credit was already processed',
                                NEW.id);
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"chargeback {self.pk}"

    @property
    def subject(self) -> str:
        return f"chargeback:{self.pk}"

    @transition(
        field="state",
        source="notified",
        target="received",
        permission="refunds.draft_issuer_action",
        custom={"system": True},
    )
    def receive(self) -> None:
        """The case is complete and the scheme's clock runs."""

    @transition(
        field="state",
        source="received",
        target="accepting",
        permission="refunds.draft_issuer_action",
    )
    def propose_acceptance(self) -> None:
        """An analyst wants to let the issuer keep the money."""

    @transition(
        field="state",
        source="received",
        target="representing",
        permission="refunds.draft_issuer_action",
        custom={"system": True},
    )
    def propose_representment(self) -> None:
        """The answer "credit already processed" or another defence is prepared."""

    @transition(
        field="state",
        source="accepting",
        target="accepted",
        permission="refunds.approve_issuer_action",
    )
    def accept(self) -> None:
        """A second person agreed; the money stays with the issuer."""

    @transition(
        field="state",
        source="representing",
        target="represented",
        permission="refunds.approve_issuer_action",
    )
    def represent(self) -> None:
        """A second person agreed; the defence is with the scheme."""

    @transition(
        field="state",
        source="represented",
        target="prearb",
        permission="refunds.draft_issuer_action",
        custom={"system": True},
    )
    def contest(self) -> None:
        """The issuer does not accept the defence."""

    @transition(
        field="state",
        source="prearb",
        target="arbitration",
        permission="refunds.approve_issuer_action",
    )
    def arbitrate(self) -> None:
        """The scheme decides."""

    @transition(
        field="state",
        source=["represented", "prearb", "arbitration"],
        target="won",
        permission="refunds.draft_issuer_action",
        custom={"system": True},
    )
    def win(self) -> None:
        """The money came back."""

    @transition(
        field="state",
        source=["represented", "prearb", "arbitration"],
        target="lost",
        permission="refunds.draft_issuer_action",
        custom={"system": True},
    )
    def lose(self) -> None:
        """The money stays with the issuer."""

    @transition(
        field="state",
        source=["received", "accepting", "representing", "prearb"],
        target="lapsed",
        permission="refunds.draft_issuer_action",
        custom={"system": True},
    )
    def lapse(self) -> None:
        """The scheme's deadline passed without our answer."""

    @transition(
        field="state",
        source=["accepted", "won", "lost", "lapsed"],
        target="closed",
        permission="refunds.draft_issuer_action",
        custom={"system": True},
    )
    def close(self) -> None:
        """Nothing more is expected."""


class ChargebackTransition(TransitionLog):
    pass
