"""Reminders of the end of the window to those who have not applied, by wave and channel."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.expressions import RawSQL

from winddown.guards import append_only, columns_are_fixed, rows_are_kept
from winddown.witness import witnessed

_NOW = RawSQL("winddown_now()", ())


class ReminderSchedule(models.Model):
    """Somebody decided that reminders go out before the last day of a window."""

    last_day = models.DateField(unique=True)
    begun_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    begun_at = models.DateTimeField(db_default=_NOW)

    class Meta:
        default_permissions = ()
        triggers = [*append_only(), *witnessed()]

    def __str__(self) -> str:
        return f"reminders until {self.last_day}"


class Reminder(models.Model):
    """One person is told in one wave over one channel. What does not arrive leads to the next
    channel, which is a new row. A mass table.
    """

    class Channel(models.TextChoices):
        EMAIL = "email"
        PHONE = "phone"
        LETTER = "letter"

    schedule = models.ForeignKey(ReminderSchedule, on_delete=models.PROTECT, related_name="+")
    days_before = models.SmallIntegerField(help_text="Of the wave: 60, 30, 7, 1 or 0.")
    holder = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, db_constraint=False, related_name="+"
    )
    channel = models.CharField(max_length=10, choices=Channel.choices)
    message = models.OneToOneField(
        "accounts.Message", null=True, on_delete=models.PROTECT, related_name="reminder"
    )
    instead_of = models.OneToOneField(
        "self", null=True, on_delete=models.PROTECT, related_name="instead"
    )
    queued_at = models.DateTimeField(db_default=_NOW)
    letter_file = models.IntegerField(null=True, help_text="The file of letters that holds it.")

    class Meta:
        default_permissions = ()
        triggers = [
            *witnessed(),
            rows_are_kept(),
            columns_are_fixed(
                "schedule_id",
                "days_before",
                "holder_id",
                "channel",
                "message_id",
                "instead_of_id",
                "queued_at",
            ),
            columns_are_fixed(
                "letter_file", once="OLD.letter_file IS NOT NULL", name="in_one_letter_file"
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"],
                condition=Q(channel="letter", letter_file=None),
                name="letters_to_print",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["schedule", "days_before", "holder"],
                condition=Q(instead_of=None),
                name="one_reminder_per_person_and_wave",
            ),
            models.CheckConstraint(
                condition=Q(channel="letter", message=None)
                | (Q(channel__in=["email", "phone"], letter_file=None) & ~Q(message=None)),
                name="reminder_is_a_message_or_a_letter",
            ),
        ]

    def __str__(self) -> str:
        return f"reminder {self.pk} ({self.channel})"
