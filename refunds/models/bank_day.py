"""Ties: at the end of a bank day, what the ledger, the statements and the customers' pages say."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.db import models

from winddown.guards import append_only
from winddown.witness import witnessed


class BankDayTie(models.Model):
    """What left our accounts for refunds and compensations until the end of one bank day, less what
    came back, by three sources that do not know each other. Amounts are in minor units.

    The newest tie of a bank day counts. `named_minor` is what its differences explain of the
    statements beyond the ledger.
    """

    bank_day = models.DateField()
    as_of = models.DateTimeField(help_text="When it was read.")
    ledger_minor = models.BigIntegerField(help_text="By the postings of our account.")
    statement_minor = models.BigIntegerField(help_text="By the movements of the statements.")
    customers_minor = models.BigIntegerField(help_text="By what is shown as paid to its holder.")
    named_minor = models.BigIntegerField()
    stated_until = models.DateField(
        null=True, help_text="The last day that statements of every paying account cover."
    )
    owed_minor = models.BigIntegerField()
    reserve_minor = models.BigIntegerField(help_text="Kept for what is disputed.")
    funds_minor = models.BigIntegerField(help_text="Set aside, as last reported.")
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )

    class Meta:
        default_permissions = ()
        triggers = [*append_only(), *witnessed()]
        indexes = [models.Index(fields=["bank_day"], name="tie_by_bank_day")]

    def __str__(self) -> str:
        return f"tie of {self.bank_day}"

    @property
    def subject(self) -> str:
        return f"bank_day:{self.bank_day.isoformat()}"

    @property
    def unexplained_minor(self) -> int:
        """What nothing explains of the statements beyond the ledger. It must be 0."""
        return self.statement_minor - self.ledger_minor - self.named_minor

    @property
    def customers_differ_minor(self) -> int:
        """What customers are shown beyond the ledger. It must be 0."""
        return self.customers_minor - self.ledger_minor

    @property
    def holds(self) -> bool:
        """Whether the three agree, but for differences that the next days clear by themselves."""
        wrong = self.differences.filter(kind__in=BankDayDifference.WRONG).exists()
        return not (wrong or self.unexplained_minor or self.customers_differ_minor)


class BankDayDifference(models.Model):
    """One named difference of a tie: so many transfers of one batch, or one line of a statement.
    `amount_minor` is what the statements say beyond the ledger.
    """

    class Kind(models.TextChoices):
        NOT_ANSWERED = "not_answered"
        RETURN_UNDER_WAY = "return_under_way"
        NOT_STATED_YET = "not_stated_yet"
        EXPLAINED = "explained"
        NOT_STATED = "not_stated"
        LINE_OPEN = "line_open"
        CONTRADICTS = "contradicts"

    WRONG = (Kind.NOT_STATED, Kind.LINE_OPEN, Kind.CONTRADICTS)
    """Nobody may wait for it to pass: somebody has to look."""

    tie = models.ForeignKey(
        BankDayTie, on_delete=models.PROTECT, related_name="differences", db_index=False
    )
    kind = models.CharField(max_length=16, choices=Kind.choices)
    batch = models.ForeignKey(
        "refunds.PayoutBatch",
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    found = models.ForeignKey(
        "refunds.ReconciliationBreak",
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    rows = models.IntegerField()
    amount_minor = models.BigIntegerField()

    class Meta:
        default_permissions = ()
        triggers = [*append_only(), *witnessed()]
        constraints = [
            models.UniqueConstraint(
                fields=["tie", "kind", "batch", "found"],
                nulls_distinct=False,
                name="difference_once_in_a_tie",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.tie_id}"


def total_of(differences: Iterable[BankDayDifference]) -> int:
    """Returns what the differences explain."""
    return sum(each.amount_minor for each in differences)
