"""Refund applications: what a holder asked for, how it came in, and who decided."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django_fsm import transition

from refunds.models.entitlement import Entitlement
from refunds.models.method import MethodTerms
from refunds.models.payee import Payee
from winddown.machines.declare import Stateful, machine_guards, state_field
from winddown.models import TransitionLog
from winddown.witness import witnessed


class RefundApplication(Stateful):
    """draft -> submitted -> identity_check <-> needs_info; identity_check -> verified ->
    amount_confirmed -> approved -> closed; approved -> needs_info (a transfer came back, or
    the bank does not know the payee); before approval -> rejected; before a payout -> withdrawn.

    An entitlement has one live application at a time. A second submission with the same `op_id`
    returns the first result.
    """

    class State(models.TextChoices):
        DRAFT = "draft"
        SUBMITTED = "submitted"
        IDENTITY_CHECK = "identity_check"
        NEEDS_INFO = "needs_info"
        VERIFIED = "verified"
        AMOUNT_CONFIRMED = "amount_confirmed"
        APPROVED = "approved"
        CLOSED = "closed"
        REJECTED = "rejected"
        WITHDRAWN = "withdrawn"

    class Channel(models.TextChoices):
        APP = "app"
        WEB = "web"
        PAPER = "paper"
        PHONE = "phone"
        CLAIM = "claim"

    class Rejection(models.TextChoices):
        NOT_IDENTIFIED = "not_identified"
        NOT_THE_HOLDER = "not_the_holder"
        ALREADY_COMPENSATED = "already_compensated"
        NO_ANSWER = "no_answer"
        OTHER = "other"

    OF_HOLDERS = (Channel.APP, Channel.WEB)
    """The holder applied without staff. A claim number comes by letter to some only."""
    RECOGNISED = (Channel.APP, Channel.CLAIM)
    """A sign-in, or a claim number with a code to the known channel, said who it is."""
    initial_states = (State.DRAFT, State.SUBMITTED)
    ENDED = (State.CLOSED, State.REJECTED, State.WITHDRAWN)
    """The application is over; another may follow."""
    PAYOUT_MADE = (State.APPROVED, State.NEEDS_INFO)
    """A payout of it may be under way: the bank may refuse the account while it is."""
    SENT = (State.IDENTITY_CHECK, State.VERIFIED, State.AMOUNT_CONFIRMED, State.APPROVED)
    """The holder sent it, nothing is asked of the holder, and it is not over."""
    LIVE = (
        State.DRAFT,
        State.SUBMITTED,
        State.IDENTITY_CHECK,
        State.NEEDS_INFO,
        State.VERIFIED,
        State.AMOUNT_CONFIRMED,
        State.APPROVED,
    )
    """The application is not over: no other may begin."""
    BANK_ACCOUNT = "bank_account"
    """What is asked for when the bank could not pay the account."""
    VOUCHER = "voucher"
    """What is asked for when a voucher expired: whether another one is wanted, or another method."""
    NOT_PAID = (BANK_ACCOUNT, VOUCHER)
    """The money did not arrive: the holder says how it is paid instead."""

    entitlement = models.ForeignKey(
        Entitlement, on_delete=models.PROTECT, related_name="applications"
    )
    applicant = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="refund_applications"
    )
    payee = models.ForeignKey(
        Payee, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    channel = models.CharField(
        max_length=5, choices=Channel.choices, help_text="How the application came in."
    )
    state = state_field(State, initial=State.DRAFT)
    live = models.BooleanField(default=True)
    op_id = models.UUIDField(null=True, unique=True)
    body_digest = models.CharField(max_length=64, blank=True)
    draft_sealed = models.BinaryField(null=True)
    step = models.SmallIntegerField(default=1, help_text="Where the holder is in the form.")
    method = models.CharField(
        max_length=16,
        default=MethodTerms.BANK,
        help_text="How the holder is paid: an entry of the registry of payout methods.",
    )
    fallback_consent = models.BooleanField(
        default=False, help_text="If this method fails, the next one may be used without asking."
    )
    address_sealed = models.BinaryField(null=True)
    late = models.BooleanField(default=False)
    late_reason = models.TextField(blank=True)
    confirmed_minor = models.BigIntegerField(null=True)
    review_reason = models.CharField(
        max_length=40, blank=True, help_text="Why the rules left it to people."
    )
    asked_for = models.CharField(max_length=40, blank=True, help_text="What the holder must give.")
    rejection = models.CharField(max_length=20, choices=Rejection.choices, blank=True)
    started_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        help_text="Nobody when the rules decided.",
    )

    class Meta:
        default_permissions = ()
        triggers = [
            *machine_guards(),
            *witnessed(
                "entitlement_id",
                "applicant_id",
                "payee_id",
                "channel",
                "body_digest",
                "late",
                "late_reason",
                "op_id",
                "review_reason",
                "rejection",
                "started_at",
                "confirmed_minor",
                "submitted_at",
                "decided_at",
                "decided_by_id",
                "method",
                "fallback_consent",
                older=({"method": "'bank'", "fallback_consent": "False"},),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["entitlement"], condition=Q(live=True), name="one_live_application"
            ),
            models.CheckConstraint(
                condition=Q(live=False, state__in=["closed", "rejected", "withdrawn"])
                | (Q(live=True) & ~Q(state__in=["closed", "rejected", "withdrawn"])),
                name="application_live_until_ended",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "withdrawn"])
                | (
                    Q(submitted_at__isnull=False, op_id__isnull=False)
                    & (Q(payee__isnull=False) | ~Q(method=MethodTerms.BANK))
                ),
                name="submitted_application_complete",
            ),
            models.CheckConstraint(
                condition=Q(late=False) | ~Q(late_reason=""), name="late_claim_has_a_reason"
            ),
            models.CheckConstraint(
                condition=~Q(state="rejected") | ~Q(rejection=""), name="rejection_has_a_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"application {self.pk}"

    @property
    def subject(self) -> str:
        return f"application:{self.pk}"

    @transition(
        field="state",
        source="draft",
        target="submitted",
        permission="",
        custom={"system": True},
    )
    def submit(self) -> None:
        """The holder sent it."""

    @transition(
        field="state",
        source="submitted",
        target="identity_check",
        permission="",
        custom={"system": True},
    )
    def check_identity(self) -> None:
        """Staff check whether the applicant is the holder."""

    @transition(
        field="state",
        source="identity_check",
        target="needs_info",
        permission="refunds.work_application",
        custom={"system": True},
    )
    def ask(self) -> None:
        """The holder must give more information."""

    @transition(
        field="state",
        source="needs_info",
        target="identity_check",
        permission="",
        custom={"system": True},
    )
    def answer(self) -> None:
        """The holder gave the information."""

    @transition(
        field="state",
        source="identity_check",
        target="verified",
        permission="refunds.work_application",
        custom={"system": True},
    )
    def verify(self) -> None:
        """The applicant is the holder."""

    @transition(
        field="state",
        source="verified",
        target="amount_confirmed",
        permission="",
        custom={"system": True},
    )
    def confirm_amount(self) -> None:
        """The holder agreed to the amount."""

    @transition(
        field="state",
        source="amount_confirmed",
        target="approved",
        permission="refunds.decide_application",
        custom={"system": True},
    )
    def approve(self) -> None:
        """It may be paid."""

    @transition(
        field="state",
        source="amount_confirmed",
        target="approved",
        permission="refunds.approve_late_claim",
    )
    def approve_late(self) -> None:
        """A late claim may be paid."""

    @transition(
        field="state",
        source=["approved", "closed"],
        target="needs_info",
        permission="refunds.work_application",
        custom={"system": True},
    )
    def ask_again(self) -> None:
        """The bank could not pay it: the holder is asked for another account."""

    @transition(
        field="state",
        source=[
            "submitted",
            "identity_check",
            "needs_info",
            "verified",
            "amount_confirmed",
            "approved",
        ],
        target="closed",
        permission="refunds.reconcile",
        custom={"system": True},
    )
    def close(self) -> None:
        """The money arrived."""

    @transition(
        field="state",
        source=["submitted", "identity_check", "needs_info", "verified", "amount_confirmed"],
        target="rejected",
        permission="refunds.decide_application",
    )
    def reject(self) -> None:
        """It will not be paid, for a reason that the applicant is told."""

    @transition(
        field="state",
        source=[
            "draft",
            "submitted",
            "identity_check",
            "needs_info",
            "verified",
            "amount_confirmed",
            "approved",
        ],
        target="withdrawn",
        permission="",
    )
    def withdraw(self) -> None:
        """The holder took it back before it was paid."""

    @transition(
        field="state",
        source=["closed", "needs_info"],
        target="approved",
        permission="refunds.reconcile",
        custom={"system": True},
    )
    def void_result(self) -> None:
        """Two people voided the file of the bank: its payout is under way again."""


class RefundApplicationTransition(TransitionLog):
    pass


def draft_place(application_id: int) -> str:
    """Returns the place that the encryption of a draft is bound to."""
    return f"refunds_refundapplication/draft/{application_id}"


def address_place(application_id: int) -> str:
    """Returns the place that the encryption of a postal address is bound to."""
    return f"refunds_refundapplication/address/{application_id}"
