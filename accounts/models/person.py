"""Persons above accounts: several accounts of one human being, which count as one."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from winddown.guards import Guard, columns_are_fixed, rows_are_kept
from winddown.sqlstates import SqlState
from winddown.witness import witnessed


class PersonMatch(models.Model):
    """Accounts that seem to be one person's, and the signals that are equal in all of them.

    The scan proposes it, or somebody names it. Two people merge it, or one says that the accounts
    stay apart. It is proposed once.
    """

    class Signal(models.TextChoices):
        KANA = "kana"
        BIRTH_DATE = "birth_date"
        TELEPHONE = "telephone"

    ACCOUNTS_MAX = 50

    accounts = ArrayField(models.BigIntegerField(), help_text="In the order of their ids.")
    signals = ArrayField(models.CharField(max_length=10, choices=Signal.choices))
    found_at = models.DateTimeField()
    found_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        help_text="Nobody when the scan found it.",
    )
    apart_at = models.DateTimeField(null=True)
    apart_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )

    class Meta:
        default_permissions = ()
        triggers = [
            *witnessed(),
            rows_are_kept(),
            columns_are_fixed("accounts", "signals", "found_at", "found_by_id"),
            columns_are_fixed(
                "apart_at", "apart_by_id", once="OLD.apart_at IS NOT NULL", name="apart_once"
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["accounts"], name="match_once"),
            models.CheckConstraint(
                condition=Q(accounts__len__gte=2, accounts__len__lte=50),
                name="match_of_several_accounts",
            ),
            # Never by the name alone.
            models.CheckConstraint(condition=Q(signals__len__gte=2), name="match_has_two_signals"),
            models.CheckConstraint(
                condition=Q(apart_at=None, apart_by=None)
                | Q(apart_at__isnull=False, apart_by__isnull=False),
                name="apart_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"match {self.pk} of accounts"

    @property
    def subject(self) -> str:
        return f"person_match:{self.pk}"


def _two_agreed(event: str, *, subject: str, signer: str) -> str:
    """Returns the trigger's body: a second person signed for `subject` in this event."""
    return f"""
        IF NOT EXISTS (
            SELECT FROM winddown_signature s JOIN winddown_approval a ON a.id = s.approval_id
            WHERE s.part = 'approved' AND s.subject LIKE {subject}
              AND s.signer_id = {signer} AND s.signer_id <> a.maker_id
        ) THEN
            RAISE EXCEPTION USING ERRCODE = '{SqlState.NOT_APPROVED}',
                MESSAGE = format('person %s is not {event} without a second person', NEW.id);
        END IF;
        RETURN NEW;
    """


class Person(models.Model):
    """Several accounts are one human being, as two people found. Two people may undo it.

    A later merge that takes in the accounts of an earlier person leaves that one as it is, and
    undoing the later one brings it back.
    """

    match = models.ForeignKey(
        PersonMatch, on_delete=models.PROTECT, related_name="persons", db_index=False
    )
    evidence = models.CharField(max_length=200)
    merged_at = models.DateTimeField()
    merged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        help_text="The second person.",
    )
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )

    class Meta:
        default_permissions = ()
        triggers = [
            *witnessed(),
            rows_are_kept(),
            columns_are_fixed("match_id", "evidence", "merged_at", "merged_by_id"),
            columns_are_fixed(
                "undone_at", "undone_by_id", once="OLD.undone_at IS NOT NULL", name="undone_once"
            ),
            Guard(
                name="merged_by_two",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=_two_agreed(
                    "merged",
                    subject="format('person_match:%s:merge:%%', NEW.match_id)",
                    signer="NEW.merged_by_id",
                ),
            ),
            Guard(
                name="undone_by_two",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("undone_at"),
                condition=pgtrigger.Condition(
                    "OLD.undone_at IS NULL AND NEW.undone_at IS NOT NULL"
                ),
                func=_two_agreed(
                    "undone",
                    subject="format('person:%s:undo:%%', NEW.id)",
                    signer="NEW.undone_by_id",
                ),
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(evidence=""), name="person_has_evidence"),
            models.CheckConstraint(
                condition=Q(undone_at=None, undone_by=None)
                | Q(undone_at__isnull=False, undone_by__isnull=False),
                name="person_undone_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"person {self.pk}"

    @property
    def subject(self) -> str:
        return f"person:{self.pk}"


class PersonAccount(models.Model):
    """The account is one of the person's. An account is of one person at a time: `current`."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="accounts")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="persons",
    )
    current = models.BooleanField(default=True)

    class Meta:
        default_permissions = ()
        triggers = [
            *witnessed(),
            rows_are_kept(),
            columns_are_fixed("person_id", "user_id"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["person", "user"], name="account_once_in_a_person"),
            models.UniqueConstraint(
                fields=["user"], condition=Q(current=True), name="one_person_of_an_account"
            ),
        ]

    def __str__(self) -> str:
        return f"account {self.user_id} of person {self.person_id}"
