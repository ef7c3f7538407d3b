"""Other ends of refunds: a deposit with the authority, the takeover by another issuer, and what came
of it.
"""

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
    """One list of refunds that ended in one of these ways, or whose end an institution undid, as two
    people agreed. Append-only.

    `institution` has the money now, and `contact` says where a late claimant asks for it. `reference`
    is its receipt number. `approval_subject` names the request that the second person signed.
    """

    class Kind(models.TextChoices):
        DEPOSITED = "deposited"
        TRANSFERRED = "transferred"
        RETURNED = "returned"
        CLAIMED = "claimed"

    ENDS = (Kind.DEPOSITED, Kind.TRANSFERRED)
    """The institution has the money, and we owe it no longer."""
    AFTERWARDS = (Kind.RETURNED, Kind.CLAIMED)
    """The institution gave the money back to us, or paid it to the person who claimed it there."""

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
    """One refund of such a list. What happened to a refund last is in its newest line. Append-only.

    Of a refund that a successor took in part, `taken_minor` is what it took, and `rest` the new
    refund of what it did not take, which stays owed.
    """

    end = models.ForeignKey(OtherEnd, on_delete=models.PROTECT, related_name="lines")
    entitlement = models.ForeignKey(
        Entitlement,
        on_delete=models.PROTECT,
        db_constraint=False,
        related_name="other_end_lines",
    )
    rest = models.OneToOneField(
        Entitlement,
        null=True,
        on_delete=models.PROTECT,
        db_constraint=False,
        related_name="split_from",
    )

    taken_minor = models.BigIntegerField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(rest=None, taken_minor=None)
                | Q(rest__isnull=False, taken_minor__gte=1),
                name="taken_in_part_leaves_a_rest",
            ),
            models.UniqueConstraint(
                fields=["end", "entitlement"], name="other_end_names_a_refund_once"
            ),
        ]
        triggers = [
            *append_only(),
            *witnessed(older=({"rest_id": "NULL", "taken_minor": "NULL"},)),
            Guard(
                name="follows_what_happened_last",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                declare=[("this", "text"), ("last", "text")],
                func=f"""
                    SELECT kind INTO this FROM refunds_otherend WHERE id = NEW.end_id;
                    SELECT d.kind INTO last FROM refunds_otherendline l
                        JOIN refunds_otherend d ON d.id = l.end_id
                        WHERE l.entitlement_id = NEW.entitlement_id ORDER BY l.id DESC LIMIT 1;
                    IF (this IN ('returned', 'claimed'))
                            <> coalesce(last IN ('deposited', 'transferred'), false)
                        OR this = 'claimed' AND last <> 'deposited' THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.NOT_APPROVED}',
                            MESSAGE = format('refund %s: %s cannot follow on %s',
                                NEW.entitlement_id, this, coalesce(last, 'nothing'));
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"line {self.pk}"
