"""Attempts to sign in, and what else happened to the ways into an account. Attack analysis reads them.
There are tens of millions of rows.
"""

from __future__ import annotations

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q

from accounts.models.person_key import append_only_until_deleted
from winddown.personal_data import DataClass

WHOSE = "coalesce({row}.user_id, 0)"
BLANK = {"login_id": "''", "network": "NULL::inet", "device_ref": "''"}
"""What takes the place of what was typed, and from where, when it was deleted."""


class AuthEvent(models.Model):
    """One attempt to sign in and its outcome, or another event at a way into an account.

    The rows are written in the order of time and read in ranges of time, so a BRIN index is enough.
    A b-tree would only slow the load. The storage migration drops even that of the primary key.
    `user_id` has no foreign key: an attempt with an unknown login id has no user, and the rows
    outlive the users.
    """

    class Event(models.TextChoices):
        SIGN_IN = "sign_in"
        RESET = "reset"
        REMINDER = "reminder"
        LINK = "link"
        TOKEN = "token"  # noqa: S105
        CONTACT_CHANGE = "contact_change"

    class Outcome(models.TextChoices):
        SUCCESS = "success"
        UNKNOWN_LOGIN_ID = "unknown_login_id"
        WRONG_PASSWORD = "wrong_password"  # noqa: S105
        REFUSED = "refused"

    PASSWORD = "password"  # noqa: S105
    PASSKEY = "passkey"
    OWN_METHODS = (PASSWORD, PASSKEY)
    """Every other method is the code of a login provider."""

    occurred_at = models.DateTimeField()
    login_id = models.CharField(max_length=254, help_text="As it was typed, in lower case.")
    user_id = models.BigIntegerField(null=True)
    outcome = models.CharField(max_length=20, choices=Outcome.choices)
    method = models.CharField(max_length=20)
    network = models.GenericIPAddressField(null=True)
    device_ref = models.CharField(max_length=64, blank=True)
    country = models.CharField(max_length=2, blank=True)
    displaced_session = models.BooleanField(
        db_default=False,
        help_text="The success ended a session that the account had on another device. Only core"
        " systems that let one device in at a time say so; our own sign-in lets several in.",
    )

    event = models.CharField(
        max_length=16,
        choices=Event.choices,
        db_default="sign_in",
        help_text="Only core systems write the others; detection counts the sign-ins alone.",
    )

    class Meta:
        default_permissions = ()
        triggers = append_only_until_deleted(
            BLANK, whose=WHOSE, data_class=DataClass.AUTHENTICATION
        )
        indexes = [
            BrinIndex(fields=["occurred_at"], autosummarize=True),
            # The batches of `shred-personal-data` are ranges of numbers.
            BrinIndex(fields=["id"], name="attempts_by_number", autosummarize=True),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    outcome__in=["success", "unknown_login_id", "wrong_password", "refused"]
                ),
                name="auth_outcome_known",
            ),
            models.CheckConstraint(
                condition=Q(event="sign_in")
                | (
                    Q(event__in=["reset", "reminder", "link", "token", "contact_change"])
                    & ~Q(outcome="wrong_password")
                    & Q(displaced_session=False)
                ),
                name="auth_event_known",
            ),
        ]

    def __str__(self) -> str:
        return (
            f"{self.event}: {self.outcome} by {self.method} at {self.occurred_at:%Y-%m-%d %H:%M:%S}"
        )
