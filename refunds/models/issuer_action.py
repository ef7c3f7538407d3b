"""What a card issuer is asked to do about one loss, and what it answered."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django_fsm import transition

from accounts.models.person_key import append_only_until_deleted
from refunds.models.issuer import Issuer, IssuerFile
from winddown.guards import Guard, append_only
from winddown.machines.declare import Stateful, machine_guards, state_field
from winddown.models import TransitionLog
from winddown.personal_data import HOUSE, DataClass
from winddown.sqlstates import SqlState
from winddown.witness import witnessed


class RequestList(models.Model):
    """The actions that one analyst submits together. The digest covers every action's id, kind and
    amount.
    """

    ACTIONS_MAX = 1_000

    maker = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64)
    actions_count = models.IntegerField()
    amount_minor = models.BigIntegerField()
    submitted_at = models.DateTimeField()

    class Meta:
        # The first name of the table. Logs and triggers have it, so it stays.
        db_table = "refunds_asklist"
        default_permissions = ()
        triggers = [*append_only(), *witnessed()]

    def __str__(self) -> str:
        return f"list of requests {self.pk}"

    @property
    def subject(self) -> str:
        return f"ask_list:{self.pk}"


class IssuerAction(Stateful):
    """draft -> pending_approval -> approved -> sent -> acknowledged; pending_approval -> draft;
    sent | acknowledged -> overdue -> sent (again) | escalated;
    sent | acknowledged | overdue | escalated -> debit_stopped | refunded | charged_back
    | too_late | declined | need_info; need_info -> sent (again);
    debit_stopped | refunded -> verified -> closed; charged_back -> closed;
    too_late | declined -> fallback_opened -> closed;
    debit_stopped | refunded | charged_back | verified -> too_late | declined when two people found
    that the issuer's later word is true;
    draft | pending_approval | approved | sent | acknowledged | need_info | overdue | escalated
    -> closed (another route).
    """

    class State(models.TextChoices):
        DRAFT = "draft"
        PENDING_APPROVAL = "pending_approval"
        APPROVED = "approved"
        SENT = "sent"
        ACKNOWLEDGED = "acknowledged"
        OVERDUE = "overdue"
        ESCALATED = "escalated"
        DEBIT_STOPPED = "debit_stopped"
        REFUNDED = "refunded"
        CHARGED_BACK = "charged_back"
        TOO_LATE = "too_late"
        DECLINED = "declined"
        NEED_INFO = "need_info"
        VERIFIED = "verified"
        FALLBACK_OPENED = "fallback_opened"
        CLOSED = "closed"

    class Kind(models.TextChoices):
        REVERSAL = "reversal"
        STOP_DEBIT = "stop_debit"
        REFUND = "refund"
        DEBIT_REIMBURSEMENT = "debit_reimbursement"

    UNSENT = (State.DRAFT, State.PENDING_APPROVAL, State.APPROVED)
    """The issuer does not know of the request yet."""
    AWAITED = (State.SENT, State.ACKNOWLEDGED)
    """The issuer has the request, and nobody has noted that its time is over."""
    LATE = (State.OVERDUE, State.ESCALATED)
    """The issuer has not answered in its time."""
    ANSWERABLE = (*AWAITED, *LATE)
    """An answer takes effect."""
    OPEN = (*UNSENT, *ANSWERABLE, State.NEED_INFO)
    """The issuer has not said what it will do."""
    SENT_AGAIN = (State.NEED_INFO, State.OVERDUE)
    """The request may be repeated under the same key."""
    DONE = (State.DEBIT_STOPPED, State.REFUNDED)
    """The issuer says that it has done what it was asked; statement or reference must show it."""
    FAILED = (State.TOO_LATE, State.DECLINED)
    """The issuer will not do it, so the loss takes its next route."""
    CLOSABLE = (State.VERIFIED, State.CHARGED_BACK, State.FALLBACK_OPENED)
    """Nothing more is expected of the issuer."""

    ALONE = (State.CLOSED,)
    """Asked for one at a time: no set of states has the same meaning."""

    remedy = models.OneToOneField("refunds.Remedy", on_delete=models.PROTECT, related_name="action")
    issuer = models.ForeignKey(Issuer, on_delete=models.PROTECT, related_name="actions")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    funding = models.CharField(max_length=12)
    amount_minor = models.BigIntegerField()
    state = state_field(State, initial=State.DRAFT)
    key = models.UUIDField(
        unique=True, help_text="The issuer answers under this; made before asking."
    )
    attempt = models.SmallIntegerField(default=0)
    request_list = models.ForeignKey(
        RequestList,
        null=True,
        on_delete=models.PROTECT,
        related_name="actions",
        db_column="ask_list_id",
    )
    drafted_at = models.DateTimeField()
    deadline_at = models.DateTimeField(
        null=True, help_text="The issuer's cut-off less our margin; none where no cut-off applies."
    )
    sent_at = models.DateTimeField(null=True)
    answer_due_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    refund_arn = models.CharField(max_length=30, blank=True)
    statement_on = models.DateField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="issuer_action_positive"),
            models.CheckConstraint(
                condition=~Q(kind="stop_debit") | Q(funding="credit", deadline_at__isnull=False),
                name="stop_debit_for_credit_before_deadline",
            ),
            models.CheckConstraint(
                condition=~Q(kind="debit_reimbursement") | Q(funding="debit"),
                name="debit_reimbursement_for_debit",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["sent", "acknowledged", "overdue", "escalated"])
                | Q(sent_at__isnull=False, answer_due_at__isnull=False, attempt__gt=0),
                name="sent_with_answer_due",
            ),
        ]
        triggers = [
            *machine_guards(),
            *witnessed(),
            Guard(
                name="asked_by_two",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                referencing=pgtrigger.Referencing(old="before", new="after"),
                declare=[("wrong", "bigint")],
                func=f"""
                    IF (SELECT count(*) FROM before b JOIN after a ON a.id = b.id
                        WHERE a.state <> b.state AND a.state = 'approved') = 0 THEN
                        RETURN NULL;
                    END IF;
                    WITH asked AS (
                        SELECT a.* FROM before b JOIN after a ON a.id = b.id
                        WHERE a.state <> b.state AND a.state = 'approved'
                    ), signed AS (
                        SELECT l.id AS ask_list_id, line.key::bigint AS id, line.value AS terms
                        FROM refunds_asklist l
                        JOIN winddown_signature s ON s.subject = 'ask_list:' || l.id
                            AND s.part = 'approved' AND s.digest = l.digest
                                AND s.signer_id <> l.maker_id
                        JOIN winddown_approval p ON p.id = s.approval_id
                        CROSS JOIN LATERAL jsonb_each(p.summary->'actions') AS line
                        WHERE l.id IN (SELECT ask_list_id FROM asked)
                    )
                    SELECT min(a.id) INTO wrong FROM asked a
                    LEFT JOIN signed s ON s.id = a.id AND s.ask_list_id = a.ask_list_id
                    WHERE s.id IS NULL OR s.terms <> to_jsonb(ARRAY[a.kind, a.amount_minor::text]);
                    IF wrong IS NOT NULL THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.NOT_APPROVED}', MESSAGE = format(
                            'issuer action %s has no approval of a second person', wrong);
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]
        indexes = [
            models.Index(
                fields=["answer_due_at"],
                condition=Q(state__in=["sent", "acknowledged"]),
                name="issuer_action_awaited",
            ),
        ]

    def __str__(self) -> str:
        return f"issuer action {self.pk}"

    @property
    def subject(self) -> str:
        return f"issuer_action:{self.pk}"

    @transition(
        field="state",
        source="draft",
        target="pending_approval",
        permission="refunds.draft_issuer_action",
    )
    def submit(self) -> None:
        """The request waits for a second person."""

    @transition(
        field="state",
        source="pending_approval",
        target="draft",
        permission="refunds.approve_issuer_action",
    )
    def send_back(self) -> None:
        """The second person did not agree."""

    @transition(
        field="state",
        source="pending_approval",
        target="draft",
        permission="refunds.draft_issuer_action",
        custom={"system": True},
    )
    def run_out(self) -> None:
        """Nobody decided in time, so somebody submits the request again."""

    @transition(
        field="state",
        source="pending_approval",
        target="approved",
        permission="refunds.approve_issuer_action",
    )
    def approve(self) -> None:
        """A second person agreed to the request."""

    @transition(
        field="state",
        source=["approved", "need_info", "overdue"],
        target="sent",
        permission="refunds.send_issuer_action",
        custom={"system": True},
    )
    def send(self) -> None:
        """The request is in a file for the issuer; a later attempt repeats it under the same
        key."""

    @transition(
        field="state",
        source="sent",
        target="acknowledged",
        permission="refunds.send_issuer_action",
        custom={"system": True},
    )
    def acknowledge(self) -> None:
        """The issuer has the request."""

    @transition(
        field="state",
        source=["sent", "acknowledged"],
        target="overdue",
        permission="refunds.send_issuer_action",
        custom={"system": True},
    )
    def fall_overdue(self) -> None:
        """The issuer did not answer in time."""

    @transition(
        field="state",
        source="overdue",
        target="escalated",
        permission="refunds.send_issuer_action",
    )
    def escalate(self) -> None:
        """Staff talk to the issuer about the late answer."""

    @transition(
        field="state",
        source=["sent", "acknowledged", "overdue", "escalated"],
        target="debit_stopped",
        permission="refunds.send_issuer_action",
        custom={"system": True, "when": Q(kind="stop_debit")},
    )
    def stop_debit(self) -> None:
        """The issuer takes the line from the coming debit."""

    @transition(
        field="state",
        source=["sent", "acknowledged", "overdue", "escalated"],
        target="refunded",
        permission="refunds.send_issuer_action",
        custom={"system": True},
    )
    def refund(self) -> None:
        """The issuer credits the cardholder."""

    @transition(
        field="state",
        source=["sent", "acknowledged", "overdue", "escalated"],
        target="charged_back",
        permission="refunds.send_issuer_action",
        custom={"system": True},
    )
    def charge_back(self) -> None:
        """The issuer says that it has taken the money back through the card scheme."""

    @transition(
        field="state",
        source=[
            "sent",
            "acknowledged",
            "overdue",
            "escalated",
            "debit_stopped",
            "refunded",
            "charged_back",
            "verified",
        ],
        target="too_late",
        permission="refunds.send_issuer_action",
        custom={"system": True},
    )
    def miss(self) -> None:
        """The debit can no longer be stopped."""

    @transition(
        field="state",
        source=[
            "sent",
            "acknowledged",
            "overdue",
            "escalated",
            "debit_stopped",
            "refunded",
            "charged_back",
            "verified",
        ],
        target="declined",
        permission="refunds.send_issuer_action",
        custom={"system": True},
    )
    def decline(self) -> None:
        """The issuer will not do it."""

    @transition(
        field="state",
        source=["sent", "acknowledged", "overdue", "escalated"],
        target="need_info",
        permission="refunds.send_issuer_action",
        custom={"system": True},
    )
    def need_info(self) -> None:
        """The issuer needs more to find the transaction."""

    @transition(
        field="state",
        source=["debit_stopped", "refunded"],
        target="verified",
        permission="refunds.send_issuer_action",
        custom={"system": True},
    )
    def verify(self) -> None:
        """Statement or reference number shows that it was done."""

    @transition(
        field="state",
        source=["too_late", "declined"],
        target="fallback_opened",
        permission="refunds.send_issuer_action",
        custom={"system": True},
    )
    def open_fallback(self) -> None:
        """The next route to a remedy of the same loss is open."""

    @transition(
        field="state",
        source=[
            "draft",
            "pending_approval",
            "approved",
            "sent",
            "acknowledged",
            "need_info",
            "overdue",
            "escalated",
            "charged_back",
            "verified",
            "fallback_opened",
        ],
        target="closed",
        permission="refunds.send_issuer_action",
        custom={"system": True},
    )
    def close(self) -> None:
        """Nothing more is expected of the issuer."""


class IssuerActionTransition(TransitionLog):
    pass


ANSWER_BLANK = {"note": "''"}


class IssuerAnswer(models.Model):
    """One line of an issuer's answer, kept as it came. The same line in another file changes
    nothing (rule 25).
    """

    class Code(models.TextChoices):
        ACCEPTED_DEBIT_STOPPED = "accepted_debit_stopped"
        ACCEPTED_REFUNDED = "accepted_refunded"
        ALREADY_CHARGED_BACK = "already_charged_back"
        TOO_LATE_WILL_REPAY = "too_late_will_repay"
        TOO_LATE_CANNOT = "too_late_cannot"
        CARDHOLDER_UNKNOWN = "cardholder_unknown"
        DECLINED = "declined"
        NEED_INFO = "need_info"

    file = models.ForeignKey(IssuerFile, on_delete=models.PROTECT, related_name="answers")
    line = models.IntegerField()
    action = models.ForeignKey(IssuerAction, on_delete=models.PROTECT, related_name="answers")
    attempt = models.SmallIntegerField()
    code = models.CharField(max_length=30, choices=Code.choices)
    answered_at = models.DateTimeField()
    statement_on = models.DateField(null=True)
    refund_arn = models.CharField(max_length=30, blank=True)
    note = models.TextField(blank=True)
    applied = models.BooleanField(help_text="False when the action no longer waited for an answer.")

    class Meta:
        default_permissions = ()
        triggers = [
            *append_only_until_deleted(
                ANSWER_BLANK, whose=str(HOUSE), data_class=DataClass.CLAIMS_EVIDENCE
            ),
            *witnessed(),
        ]
        constraints = [
            models.UniqueConstraint(fields=["file", "line"], name="one_answer_per_line"),
            models.UniqueConstraint(
                fields=["action", "attempt", "code", "answered_at"], name="one_answer_per_attempt"
            ),
        ]

    def __str__(self) -> str:
        return f"answer {self.pk}: {self.code}"
