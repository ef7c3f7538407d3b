"""Alarms: what needs a person, whom it was told to, and where the people on duty are reached."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django_fsm import transition

from winddown.guards import columns_are_fixed, rows_are_kept
from winddown.machines.declare import Stateful, machine_guards, state_field
from winddown.models.transition import TransitionLog
from winddown.witness import witnessed


class DutyAddress(models.Model):
    """Where the people of a role are reached: a mailbox or a webhook.

    Address and signing secret are sealed, because the address of a webhook often is a key. An address
    that was replaced or ended is told of it, and deleted a day later. `shown` is what staff may see
    of it.
    """

    class Channel(models.TextChoices):
        MAIL = "mail"
        WEBHOOK = "webhook"

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    role = models.CharField(max_length=40)
    channel = models.CharField(max_length=10, choices=Channel.choices)
    language = models.CharField(max_length=5)
    target_sealed = models.BinaryField(null=True)
    shown = models.CharField(max_length=300)
    set_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        triggers = [
            *witnessed(),
            rows_are_kept(),
            columns_are_fixed("key", "role", "channel", "language", "shown", "set_at"),
            columns_are_fixed("ended_at", once="OLD.ended_at IS NOT NULL", name="ended_once"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["role", "channel"],
                condition=Q(ended_at=None),
                name="one_duty_address_per_role_and_channel",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=False) | Q(target_sealed__isnull=False),
                name="duty_address_in_force_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.channel} {self.shown}"


class Alarm(Stateful):
    """raised -> escalated; raised | escalated -> acknowledged;
    raised | escalated | acknowledged -> closed.

    One alarm of a kind and subject stands at a time. It is closed when its condition ends. A
    condition that comes back is a new alarm.
    """

    class State(models.TextChoices):
        RAISED = "raised"
        ESCALATED = "escalated"
        ACKNOWLEDGED = "acknowledged"
        CLOSED = "closed"

    UNANSWERED = (State.RAISED, State.ESCALATED)
    """Nobody has said that they look after it: the people on duty are told again."""
    STANDING = (*UNANSWERED, State.ACKNOWLEDGED)
    """Its condition holds."""
    ALONE = (State.CLOSED,)
    """Its condition ended."""

    code = models.CharField(max_length=40)
    subject = models.CharField(max_length=120)
    severity = models.CharField(max_length=10)
    role = models.CharField(max_length=40)
    sentences = models.JSONField(help_text="What it says, by language; names no customer.")
    url = models.CharField(max_length=200)
    state = state_field(State, initial=State.RAISED)
    raised_at = models.DateTimeField()
    escalated_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    answer = models.TextField(blank=True, help_text="Why it was acknowledged.")
    closed_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        triggers = [
            *witnessed(),
            *machine_guards(),
            columns_are_fixed(
                "code", "subject", "severity", "role", "sentences", "url", "raised_at"
            ),
            columns_are_fixed(
                "acknowledged_at",
                "acknowledged_by_id",
                "answer",
                once="OLD.acknowledged_at IS NOT NULL",
                name="acknowledged_once",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["code", "subject"],
                condition=~Q(state="closed"),
                name="one_standing_alarm_per_subject",
            ),
            models.CheckConstraint(
                condition=~Q(state="acknowledged") | Q(acknowledged_by__isnull=False),
                name="acknowledged_by_a_person",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.subject}"

    @transition(
        field="state",
        source="raised",
        target="escalated",
        permission="winddown.acknowledge_alarm",
        custom={"system": True},
    )
    def escalate(self) -> None:
        """Nobody acknowledged it in time: the next role is told too."""

    @transition(
        field="state",
        source=["raised", "escalated"],
        target="acknowledged",
        permission="winddown.acknowledge_alarm",
    )
    def acknowledge(self) -> None:
        """A person looks after it, so nobody is told again."""

    @transition(
        field="state",
        source=["raised", "escalated", "acknowledged"],
        target="closed",
        permission="winddown.acknowledge_alarm",
        custom={"system": True},
    )
    def close(self) -> None:
        """Its condition ended."""


class AlarmTransition(TransitionLog):
    pass


class AlarmNotice(models.Model):
    """One message about an alarm to one duty address. It is owed until it is sent or given up.

    `level` is 0 for the alarm's own role and 1 for the next role. `repeat` counts the messages of a
    level from 0. A sender takes a lease first. A message whose sender was killed goes out again
    with the same message id.
    """

    alarm = models.ForeignKey(Alarm, on_delete=models.PROTECT, related_name="notices")
    address = models.ForeignKey(DutyAddress, on_delete=models.PROTECT, related_name="+")
    level = models.SmallIntegerField()
    repeat = models.IntegerField()
    queued_at = models.DateTimeField()
    lease_until = models.DateTimeField(
        null=True, help_text="Real time: nobody else sends it, or tries again, before."
    )
    attempts = models.SmallIntegerField(default=0)
    failure = models.CharField(max_length=60, blank=True, help_text="Why the last attempt failed.")
    sent_at = models.DateTimeField(null=True)
    given_up_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        triggers = [
            rows_are_kept(),
            columns_are_fixed("alarm_id", "address_id", "level", "repeat", "queued_at"),
            columns_are_fixed("sent_at", once="OLD.sent_at IS NOT NULL", name="sent_once"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["alarm", "level", "repeat", "address"], name="one_notice_per_repeat"
            ),
            models.CheckConstraint(
                condition=Q(sent_at=None) | Q(given_up_at=None), name="notice_sent_or_given_up"
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"],
                condition=Q(sent_at=None, given_up_at=None),
                name="owed_alarm_notices",
            )
        ]

    def __str__(self) -> str:
        return f"notice {self.alarm_id}.{self.level}.{self.repeat}"
