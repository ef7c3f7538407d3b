"""Notices of a mass reset: one per person and run."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django_fsm import transition

from winddown.machines import Stateful, machine_guards, state_field
from winddown.models import Run, TransitionLog


class ResetNotice(Stateful):
    """queued -> sent -> undeliverable; queued -> undeliverable.

    The key (run, user) is what keeps a repeated batch or a resumed wave from telling a person
    twice. It carries no address: the channel's address is read from the account when it is sent.
    """

    class State(models.TextChoices):
        QUEUED = "queued"
        SENT = "sent"
        UNDELIVERABLE = "undeliverable"

    class Channel(models.TextChoices):
        EMAIL = "email"
        PHONE = "phone"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, db_constraint=False, related_name="+"
    )
    run = models.ForeignKey(
        Run, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    channel = models.CharField(max_length=10, choices=Channel.choices)
    state = state_field(State, initial=State.QUEUED)
    queued_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        triggers = machine_guards()
        constraints = [
            models.UniqueConstraint(fields=["run", "user"], name="one_reset_notice_per_person"),
            models.CheckConstraint(
                condition=models.Q(channel__in=["email", "phone"]), name="notice_channel_known"
            ),
        ]

    def __str__(self) -> str:
        return f"reset notice {self.pk}"

    @transition(
        field="state",
        source="queued",
        target="sent",
        permission="accounts.send_reset_notice",
        custom={"system": True},
    )
    def send(self) -> None:
        """The notice was handed to its channel."""

    @transition(
        field="state",
        source=["queued", "sent"],
        target="undeliverable",
        permission="accounts.send_reset_notice",
        custom={"system": True},
    )
    def give_up(self) -> None:
        """The channel refused the notice or sent it back."""


class ResetNoticeTransition(TransitionLog):
    pass
