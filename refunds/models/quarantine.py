"""Lines of an issuer's files that decide nothing until two people have settled them."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from refunds.models.issuer import IssuerFile
from refunds.models.issuer_action import IssuerAction
from winddown.guards import Guard, columns_are_fixed, rows_are_kept
from winddown.sqlstates import SqlState
from winddown.witness import witnessed


class QuarantinedLine(models.Model):
    """A line of an answer file that is not understood, not about a request of ours, or doubtful. It
    changes nothing, and neither does the same line in another file. What it says is in the file.
    """

    class Why(models.TextChoices):
        FORM = "form"
        STRANGER = "stranger"
        ISSUER = "issuer"
        AMOUNT = "amount"
        ANSWER = "answer"
        TIME = "time"
        TWICE = "twice"

    file = models.ForeignKey(IssuerFile, on_delete=models.PROTECT, related_name="quarantined")
    line = models.IntegerField()
    digest = models.CharField(max_length=64, help_text="SHA-256 of the issuer and the cells.")
    why = models.CharField(max_length=8, choices=Why.choices)
    cell = models.CharField(
        max_length=20,
        blank=True,
        help_text="The column of the cell that is not understood; none means the width.",
    )
    action = models.ForeignKey(
        IssuerAction,
        null=True,
        on_delete=models.PROTECT,
        related_name="quarantined",
        help_text="The request that it names, if the issuer was asked it.",
    )
    found_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        help_text="The second person.",
    )

    class Meta:
        default_permissions = ()
        triggers = [
            *witnessed(),
            rows_are_kept(),
            columns_are_fixed("file_id", "line", "digest", "why", "cell", "action_id", "found_at"),
            columns_are_fixed(
                "settled_at",
                "settled_by_id",
                once="OLD.settled_at IS NOT NULL",
                name="settled_once",
            ),
            Guard(
                name="settled_by_two",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("settled_at"),
                condition=pgtrigger.Condition(
                    "OLD.settled_at IS NULL AND NEW.settled_at IS NOT NULL"
                ),
                func=f"""
                    IF NOT EXISTS (
                        SELECT FROM winddown_signature s
                        JOIN winddown_approval a ON a.id = s.approval_id
                        WHERE s.part = 'approved' AND s.signer_id = NEW.settled_by_id
                          AND s.signer_id <> a.maker_id
                          AND s.subject LIKE 'quarantined:%'
                          AND a.summary->'lines' ? NEW.id::text
                    ) THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.NOT_APPROVED}',
                            MESSAGE = format('quarantined line %s is settled by two people only', NEW.id);
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["digest"], name="quarantined_once"),
            models.UniqueConstraint(fields=["file", "line"], name="one_quarantined_per_line"),
            models.CheckConstraint(
                condition=Q(settled_at=None, settled_by=None)
                | Q(settled_at__isnull=False, settled_by__isnull=False),
                name="quarantined_settled_by_somebody",
            ),
        ]
        indexes = [
            models.Index(
                fields=["found_at"], condition=Q(settled_at=None), name="quarantined_waiting"
            )
        ]

    def __str__(self) -> str:
        return f"quarantined line {self.pk}"
