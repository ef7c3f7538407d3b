"""Payment blocks: people who are paid nothing, by a sanction list, a dispute or a legal hold."""

from __future__ import annotations

import datetime as dt

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from winddown.guards import Guard, columns_are_fixed, rows_are_kept
from winddown.sqlstates import SqlState
from winddown.witness import witnessed


class PaymentBlockQuerySet(models.QuerySet["PaymentBlock"]):
    """Blocks as sets."""

    def in_force(self, at: dt.datetime) -> PaymentBlockQuerySet:
        """Returns the blocks that keep their holders from being paid at the instant."""
        return self.filter(lifted_at=None, ends_at__gt=at)


class PaymentBlock(models.Model):
    """While it is in force, its holder is paid nothing.

    One person enters it, and it holds at once, as a stop does. A second person confirms or rejects
    it. It ends at `ends_at` by itself, or earlier when two people lift it.
    """

    class Kind(models.TextChoices):
        SANCTION = "sanction"
        DISPUTE = "dispute"
        LEGAL_HOLD = "legal_hold"

    holder = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        db_constraint=False,
        related_name="payment_blocks",
    )
    kind = models.CharField(max_length=12, choices=Kind.choices)
    evidence = models.CharField(
        max_length=200, help_text="Where it stands: a list and its entry, a court's file number."
    )
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField(help_text="When it ends by itself; exclusive.")
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = PaymentBlockQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        triggers = [
            *witnessed(),
            rows_are_kept(),
            columns_are_fixed(
                "holder_id", "kind", "evidence", "begins_at", "ends_at", "entered_by_id"
            ),
            columns_are_fixed(
                "lifted_at", "lifted_by_id", once="OLD.lifted_at IS NOT NULL", name="lifted_once"
            ),
            Guard(
                name="lifted_by_two",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("lifted_at"),
                condition=pgtrigger.Condition(
                    "OLD.lifted_at IS NULL AND NEW.lifted_at IS NOT NULL"
                ),
                func=f"""
                    IF NOT EXISTS (
                        SELECT FROM winddown_signature s JOIN winddown_approval a ON a.id = s.approval_id
                        WHERE s.signer_id = NEW.lifted_by_id AND s.signer_id <> a.maker_id
                          AND (s.part = 'rejected' AND s.subject = format('payment_block:%s', OLD.id)
                            OR s.part = 'approved'
                                AND s.subject LIKE format('payment_block:%s:lift:%%', OLD.id))
                    ) THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.NOT_APPROVED}',
                            MESSAGE = format('payment block %s is not lifted without a second person', OLD.id);
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("begins_at")), name="block_ends_after_its_begin"
            ),
            models.CheckConstraint(
                condition=Q(lifted_at=None, lifted_by=None)
                | Q(lifted_at__isnull=False, lifted_by__isnull=False),
                name="block_lifted_by_somebody",
            ),
            models.CheckConstraint(condition=~Q(evidence=""), name="block_has_evidence"),
        ]

    def __str__(self) -> str:
        return f"payment block {self.pk}"

    @property
    def subject(self) -> str:
        return f"payment_block:{self.pk}"
