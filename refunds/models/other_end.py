"""Other ends of refunds: a deposit with the authority, and the takeover by another issuer."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django.db.models.expressions import RawSQL

from refunds.models.entitlement import Entitlement
from winddown.guards import Guard, append_only, columns_are_fixed, rows_are_kept
from winddown.models import NoticeEvidence
from winddown.sqlstates import SqlState
from winddown.witness import witnessed


class Successor(models.Model):
    """Another issuer that takes balances over with their holders' consent, and its caps.

    The caps are for one person: in one day, and in all. The source names who laid them down.
    """

    name = models.CharField(max_length=60, unique=True)
    contact = models.CharField(max_length=200, help_text="Where the holder asks.")
    day_max_minor = models.BigIntegerField(help_text="For one person in one day.")
    person_max_minor = models.BigIntegerField(help_text="For one person in all.")
    source = models.TextField()

    class Meta:
        default_permissions = ()
        triggers = [*witnessed(), rows_are_kept(), columns_are_fixed("name")]
        constraints = [
            models.CheckConstraint(
                condition=Q(day_max_minor__gte=1, person_max_minor__gte=1),
                name="successor_caps_positive",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class OtherEnd(models.Model):
    """One list of refunds that ended in one of these ways, as two people agreed. Append-only.

    `institution` has the money now, and `contact` says where a late claimant asks for it. `reference`
    is its receipt number. `approval_subject` names the request that the second person signed.
    """

    class Kind(models.TextChoices):
        DEPOSITED = "deposited"
        TRANSFERRED = "transferred"

    kind = models.CharField(max_length=12, choices=Kind.choices)
    institution = models.CharField(max_length=120)
    contact = models.CharField(max_length=200)
    reference = models.CharField(max_length=60, help_text="The receipt number of the institution.")
    ended_on = models.DateField(help_text="When the institution took the money.")
    evidence = models.ForeignKey(NoticeEvidence, on_delete=models.PROTECT, related_name="+")
    items = models.IntegerField()
    total_minor = models.BigIntegerField()
    approval_subject = models.CharField(max_length=40, unique=True)
    recorded_at = models.DateTimeField(db_default=RawSQL("winddown_now()", ()))

    class Meta:
        default_permissions = ()
        triggers = [
            *append_only(),
            *witnessed(),
            Guard(
                name="ended_by_two",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=f"""
                    IF NOT EXISTS (
                        SELECT FROM winddown_signature s
                        JOIN winddown_approval a ON a.id = s.approval_id
                        JOIN accounts_user m ON m.id = a.maker_id
                        WHERE s.subject = NEW.approval_subject AND s.part = 'approved'
                            AND s.staff_number <> m.staff_number
                    ) THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.NOT_APPROVED}',
                            MESSAGE = format('%s: two people end refunds like this',
                                NEW.approval_subject);
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "institution", "reference"], name="other_end_receipt_once"
            ),
            models.CheckConstraint(
                condition=~Q(institution="") & ~Q(contact="") & ~Q(reference=""),
                name="other_end_says_where",
            ),
            models.CheckConstraint(
                condition=Q(items__gte=1, total_minor__gte=1), name="other_end_has_an_amount"
            ),
        ]

    def __str__(self) -> str:
        return f"other end {self.pk}"


class OtherEndLine(models.Model):
    """One refund of such a list. A refund ends like this once. Append-only."""

    end = models.ForeignKey(OtherEnd, on_delete=models.PROTECT, related_name="lines")
    entitlement = models.OneToOneField(
        Entitlement, on_delete=models.PROTECT, db_constraint=False, related_name="other_end_line"
    )

    class Meta:
        default_permissions = ()
        triggers = [*append_only(), *witnessed()]

    def __str__(self) -> str:
        return f"line {self.pk}"
