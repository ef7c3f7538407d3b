"""Notices of a mass reset: one per person and run, in waves; and what the mail server reported."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django_fsm import transition

from winddown.guards import append_only
from winddown.machines.declare import Stateful, machine_guards, state_field
from winddown.models import Run, TransitionLog


class ResetNotice(Stateful):
    """queued -> sending -> sent -> undeliverable; sending -> queued | undeliverable | unknown;
    unknown -> sent | queued; queued -> sent.

    The key (run, user) prevents that a repeated batch or a resumed wave tells a person twice. The
    row has no address. The sender reads the channel's address from the account. `sending` is
    committed before the mail server hears of the notice. A notice whose sender died after that is
    `unknown`. Only the mail server's own report moves it on.
    """

    class State(models.TextChoices):
        QUEUED = "queued"
        SENDING = "sending"
        SENT = "sent"
        UNDELIVERABLE = "undeliverable"
        UNKNOWN = "unknown"

    SETTLED = (State.SENT, State.UNDELIVERABLE)
    """The service does no more to tell the person by this notice."""
    NOT_SETTLED = (State.QUEUED, State.SENDING, State.UNKNOWN)
    """It must still be sent, or nobody here knows whether it was sent."""

    class Channel(models.TextChoices):
        EMAIL = "email"
        PHONE = "phone"
        LETTER = "letter"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, db_constraint=False, related_name="+"
    )
    run = models.ForeignKey(
        Run, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    channel = models.CharField(max_length=10, choices=Channel.choices)
    state = state_field(State, initial=State.QUEUED)
    queued_at = models.DateTimeField()
    attempts = models.SmallIntegerField(default=0)
    attempted_at = models.DateTimeField(
        null=True, help_text="When it was last begun to be sent by mail."
    )
    sent_at = models.DateTimeField(null=True)
    answer = models.CharField(
        max_length=20, blank=True, help_text="Why it was not taken: a reply code, no address."
    )
    accepted_at = models.DateTimeField(null=True, help_text="As the mail server's log says.")
    bounced_at = models.DateTimeField(null=True, help_text="As the mail server's log says.")
    complained_at = models.DateTimeField(null=True, help_text="As the mail server's log says.")
    reported_at = models.DateTimeField(
        null=True, help_text="When a report about it was last loaded here."
    )

    class Meta:
        default_permissions = ()
        triggers = machine_guards()
        constraints = [
            models.UniqueConstraint(fields=["run", "user"], name="one_reset_notice_per_person"),
            models.CheckConstraint(
                condition=Q(channel__in=["email", "phone", "letter"]), name="notice_channel_known"
            ),
            models.CheckConstraint(
                condition=~Q(state="sending") | Q(attempted_at__isnull=False, attempts__gt=0),
                name="attempt_is_counted_before_it_is_made",
            ),
        ]
        indexes = [
            models.Index(
                fields=["run", "attempted_at"],
                condition=Q(attempted_at__isnull=False),
                name="notice_attempted",
            ),
        ]

    def __str__(self) -> str:
        return f"reset notice {self.pk}"

    @transition(
        field="state",
        source="queued",
        target="sending",
        permission="accounts.send_reset_notice",
        custom={"system": True},
    )
    def begin(self) -> None:
        """The sender offers it to the mail server next."""

    @transition(
        field="state",
        source="sending",
        target="sent",
        permission="accounts.send_reset_notice",
        custom={"system": True},
    )
    def send(self) -> None:
        """The mail server took it."""

    @transition(
        field="state",
        source="sending",
        target="queued",
        permission="accounts.send_reset_notice",
        custom={"system": True},
    )
    def defer(self) -> None:
        """The mail server certainly did not take it, and may take it later."""

    @transition(
        field="state",
        source="sending",
        target="undeliverable",
        permission="accounts.send_reset_notice",
        custom={"system": True},
    )
    def give_up(self) -> None:
        """The mail server refused it for good, or there is no address to send it to."""

    @transition(
        field="state",
        source="sending",
        target="unknown",
        permission="accounts.send_reset_notice",
        custom={"system": True},
    )
    def lose(self) -> None:
        """Nobody here knows whether the mail server took it."""

    @transition(
        field="state",
        source=["unknown", "queued"],
        target="sent",
        permission="accounts.send_reset_notice",
        custom={"system": True, "when": Q(accepted_at__isnull=False)},
    )
    def confirm(self) -> None:
        """The mail server's log says that it took it."""

    @transition(
        field="state",
        source="unknown",
        target="queued",
        permission="accounts.send_reset_notice",
        custom={"system": True, "when": Q(accepted_at=None)},
    )
    def queue_again(self) -> None:
        """The mail server's log is complete for that time and does not contain it."""

    @transition(
        field="state",
        source="queued",
        target="sent",
        permission="accounts.send_reset_notice",
        custom={"system": True, "when": Q(attempts=0)},
    )
    def hand_over(self) -> None:
        """It is in a file for its carrier."""

    @transition(
        field="state",
        source="sent",
        target="undeliverable",
        permission="accounts.send_reset_notice",
        custom={"system": True, "when": Q(bounced_at__isnull=False)},
    )
    def bounce(self) -> None:
        """The mail server took it, and it came back."""


class ResetNoticeTransition(TransitionLog):
    pass


class NoticeWave(models.Model):
    """The notices of one wave of a run: all up to `last_id` that no earlier wave has. The row is
    written when the first wave opens, and never changed.
    """

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="+")
    number = models.SmallIntegerField()
    size = models.IntegerField()
    first_id = models.BigIntegerField()
    last_id = models.BigIntegerField()

    class Meta:
        default_permissions = ()
        triggers = append_only()
        constraints = [
            models.UniqueConstraint(fields=["run", "number"], name="one_wave_per_number"),
        ]

    def __str__(self) -> str:
        return f"wave {self.number} of run {self.run_id}"


class MailReport(models.Model):
    """A member of staff said that the mail server's log is loaded completely up to
    `complete_until`. Notices from before that were unknown are settled by it.
    """

    complete_until = models.DateTimeField()
    recorded_at = models.DateTimeField()
    queued_again = models.IntegerField()

    class Meta:
        default_permissions = ()
        triggers = append_only()

    def __str__(self) -> str:
        return f"mail report {self.pk}"
