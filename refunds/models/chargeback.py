"""Inbound chargebacks: an issuer pulls money back through the card scheme, which has its clocks."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django_fsm import transition

from refunds.models.issuer import Issuer
from refunds.models.remedy import Remedy
from winddown.guards import Guard, columns_are_fixed
from winddown.machines.declare import Stateful, machine_guards, state_field
from winddown.models import TransitionLog
from winddown.sqlstates import SqlState
from winddown.witness import witnessed


class SchemeClock(models.Model):
    """How long a card scheme gives for one stage of a dispute. The row with the latest `valid_from`
    that has come is in force; without a row, what `refunds/remedies/scheme_clocks.toml` says is.
    """

    class Stage(models.TextChoices):
        FILING = "filing"
        ANSWER = "answer"
        PREARB = "prearb"
        COLLABORATION = "collaboration"

    code = models.CharField(max_length=40, unique=True)
    scheme = models.CharField(max_length=20)
    stage = models.CharField(max_length=20, choices=Stage.choices)
    days = models.SmallIntegerField()
    source = models.TextField()
    valid_from = models.DateField()

    class Meta:
        default_permissions = ()
        triggers = witnessed()
        constraints = [
            models.CheckConstraint(condition=Q(days__gt=0), name="scheme_clock_positive"),
            models.UniqueConstraint(
                fields=["scheme", "stage", "valid_from"], name="one_scheme_clock_at_a_time"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code}: {self.days} days"


class Chargeback(Stateful):
    """notified -> received -> accepting -> accepted -> closed;
    received -> representing -> represented -> prearb -> arbitration -> won | lost -> closed;
    represented | prearb -> won | lost; accepting | representing -> received;
    received | accepting | representing | prearb -> lapsed -> closed.

    A charge that was already made good is answered with the reference of that credit, never
    accepted (rule 21): `credited_by` is what made it good. Otherwise the chargeback holds the one
    slot of the loss, `remedy`, from the moment when it is received, so no other route can pay the
    same loss. What the issuer keeps beyond what the victims are owed, `beyond_minor`, is the
    operator's own loss. `returned_at` is when the money came back.
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

    ANSWERABLE = (State.RECEIVED, State.ACCEPTING, State.REPRESENTING, State.PREARB)
    """The scheme waits for our answer, and its clock runs."""
    KEPT = (State.ACCEPTED, State.LOST, State.LAPSED)
    """The issuer keeps the money."""

    ALONE = (
        State.NOTIFIED,
        State.REPRESENTED,
        State.ARBITRATION,
        State.WON,
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
    foreign_amount = models.CharField(
        max_length=30, blank=True, help_text="The amount as the notice says it, such as 271.40 USD."
    )
    remedy = models.OneToOneField(
        "refunds.Remedy", null=True, on_delete=models.PROTECT, related_name="chargeback"
    )
    beyond_minor = models.BigIntegerField(default=0)
    state = state_field(State, initial=State.NOTIFIED)
    notified_at = models.DateTimeField()
    due_at = models.DateTimeField()
    returned_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="chargeback_positive"),
            models.CheckConstraint(
                condition=~(Q(arn="") & Q(rrn="")), name="chargeback_names_its_transaction"
            ),
            models.CheckConstraint(
                condition=Q(beyond_minor__gte=0) & Q(beyond_minor__lte=models.F("amount_minor")),
                name="chargeback_loses_no_more_than_it_took",
            ),
            models.CheckConstraint(
                condition=Q(remedy=None) | Q(credited_by=None),
                name="chargeback_holds_or_is_credited",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["accepting", "accepted"]) | Q(remedy__isnull=False),
                name="accepted_chargeback_has_its_remedy",
            ),
        ]
        triggers = [
            *machine_guards(),
            *witnessed(
                older=(
                    {
                        "foreign_amount": "''",
                        "remedy_id": "NULL",
                        "beyond_minor": "0",
                        "returned_at": "NULL",
                    },
                )
            ),
            columns_are_fixed(
                "issuer_id",
                "chargeback_ref",
                "scheme",
                "scheme_reason",
                "arn",
                "rrn",
                "amount_minor",
                "foreign_amount",
                "notified_at",
            ),
            columns_are_fixed(
                "top_up_id", once="OLD.top_up_id IS NOT NULL", name="charge_is_fixed"
            ),
            Guard(
                name="decided_by_two",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                declare=[("wanted", "text")],
                func=f"""
                    wanted := CASE
                        WHEN NEW.top_up_id IS DISTINCT FROM OLD.top_up_id THEN 'match'
                        WHEN NEW.state = OLD.state THEN NULL
                        WHEN NEW.state = 'accepted' THEN 'accept'
                        WHEN NEW.state = 'represented' THEN 'represent'
                        WHEN NEW.state = 'arbitration' THEN 'arbitrate'
                        WHEN NEW.state = 'closed' AND OLD.state IN ('lost', 'lapsed') AND (
                            NEW.top_up_id IS NULL OR NEW.beyond_minor > 0 OR EXISTS (
                                SELECT FROM refunds_remedy r WHERE r.id = NEW.remedy_id
                                    AND r.state <> '{Remedy.State.REMEDIED}')) THEN 'settle'
                        END;
                    IF wanted IS NOT NULL AND NOT EXISTS (
                        SELECT FROM winddown_signature s
                        JOIN winddown_approval p ON p.id = s.approval_id
                        JOIN winddown_signature m ON m.subject = s.subject AND m.part = 'maker'
                            AND m.staff_number <> s.staff_number
                        WHERE s.subject LIKE 'chargeback:' || NEW.id || ':%' AND s.stage = wanted
                            AND s.part = 'approved'
                            AND (p.summary->>'amount_minor')::bigint = NEW.amount_minor
                            AND (p.summary->>'top_up')::bigint IS NOT DISTINCT FROM NEW.top_up_id
                    ) THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.NOT_APPROVED}', MESSAGE = format(
                            'chargeback %s: two people have not agreed to %s', NEW.id, wanted);
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(
                name="slot_is_held",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__state="notified", new__state="received"),
                func=f"""
                    IF NEW.credited_by_id IS NULL AND EXISTS (
                        SELECT FROM refunds_remedy r JOIN refunds_loss l ON l.id = r.loss_id
                        WHERE l.top_up_id = NEW.top_up_id
                            AND r.state NOT IN ('{Remedy.State.FAILED}', '{Remedy.State.CONTESTED}')
                            AND r.id IS DISTINCT FROM NEW.remedy_id
                    ) THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.CREDIT_ALREADY_PROCESSED}',
                            MESSAGE = format('chargeback %s: its loss takes another route', NEW.id);
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(
                name="not_accepted_twice",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(new__state__in=["accepting", "accepted"]),
                func=f"""
                    IF NEW.state <> OLD.state AND EXISTS (
                        SELECT FROM refunds_remedy r JOIN refunds_loss l ON l.id = r.loss_id
                        WHERE l.top_up_id = NEW.top_up_id AND r.state = '{Remedy.State.REMEDIED}'
                            AND r.id IS DISTINCT FROM NEW.remedy_id
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

    @property
    def difference_minor(self) -> int:
        """Returns by how much the charge is more than the chargeback; 0 without a charge."""
        return self.top_up.amount_minor - self.amount_minor if self.top_up else 0

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
        source=["accepting", "representing"],
        target="received",
        permission="refunds.approve_issuer_action",
        custom={"system": True},
    )
    def send_back(self) -> None:
        """The second person did not agree, nobody decided in time, or the credit came back."""

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
        permission="refunds.approve_issuer_action",
        custom={"system": True},
    )
    def close(self) -> None:
        """Nothing more is expected."""


class ChargebackTransition(TransitionLog):
    pass
