"""What the bank's statements say about our accounts, once for each movement."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q

from refunds.models.reconciliation import BankFile
from winddown.guards import Guard, append_only
from winddown.sqlstates import SqlState
from winddown.witness import witnessed


class AccountStatement(models.Model):
    """The movements of one account over some days. A notice proves no balance and has none."""

    file = models.ForeignKey(BankFile, on_delete=models.PROTECT, related_name="statements")
    number = models.IntegerField(help_text="Counted from 1 in the file.")
    account = models.CharField(max_length=34, help_text="The number as our limits name it.")
    last_on = models.DateField(null=True, help_text="The last day that it is about.")
    before_minor = models.BigIntegerField(null=True)
    after_minor = models.BigIntegerField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["file", "number"], name="statement_once_in_a_file"),
            models.CheckConstraint(
                condition=Q(before_minor=None, after_minor=None)
                | Q(before_minor__isnull=False, after_minor__isnull=False),
                name="statement_has_both_balances_or_none",
            ),
        ]
        triggers = [*append_only(), *witnessed()]

    def __str__(self) -> str:
        return f"statement {self.number} of file {self.file_id}"


class StatementLineQuerySet(models.QuerySet["StatementLine"]):
    """Lines as sets."""

    def standing(self) -> StatementLineQuerySet:
        """Returns the lines of files that nobody voided."""
        return self.filter(statement__file__void=None)


class StatementLine(models.Model):
    """One movement, or one transfer of a bulk movement. Statements overlap, so `identity` names the
    movement in each of them, and `part` the transfer in it. `payout` is set if it is the movement of
    that payout, and `batch` if it is that of a whole file.
    """

    class Direction(models.TextChoices):
        IN = "in"
        OUT = "out"

    statement = models.ForeignKey(AccountStatement, on_delete=models.PROTECT, related_name="lines")
    identity = models.CharField(max_length=64)
    part = models.IntegerField()
    line = models.IntegerField(null=True, help_text="As a break about it counts the file's lines.")
    booked_on = models.DateField()
    direction = models.CharField(max_length=3, choices=Direction.choices)
    amount_minor = models.BigIntegerField()
    payout = models.ForeignKey(
        "refunds.Payout", null=True, on_delete=models.PROTECT, related_name="statement_lines"
    )
    batch = models.ForeignKey(
        "refunds.PayoutBatch", null=True, on_delete=models.PROTECT, related_name="statement_lines"
    )

    objects = StatementLineQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["identity", "part"], name="line_by_movement")]
        triggers = [
            *append_only(),
            *witnessed(older=({"line": "NULL"},)),
            Guard(
                name="movement_is_known_once",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="after"),
                declare=[("wrong", "bigint")],
                func=f"""
                    SELECT min(a.id) INTO wrong FROM after a
                    JOIN refunds_statementline s
                        ON s.identity = a.identity AND s.part = a.part AND s.id <> a.id
                    JOIN refunds_accountstatement k ON k.id = s.statement_id
                    WHERE NOT EXISTS (
                        SELECT FROM refunds_voidedfile v WHERE v.file_id = k.file_id);
                    IF wrong IS NOT NULL THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.MOVEMENT_IS_KNOWN}',
                            MESSAGE = format('statement line %s: its movement is known', wrong);
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.direction} {self.identity[:12]}.{self.part}"
