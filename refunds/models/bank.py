"""Banks and branches by version of the public code list, and the limits of the refund."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from winddown.guards import append_only
from winddown.witness import witnessed


class BankDataset(models.Model):
    """One version of the public list of bank and branch codes. Exactly one is active."""

    version = models.CharField(max_length=40, unique=True)
    banks = models.IntegerField()
    branches = models.IntegerField()
    active = models.BooleanField(default=False)
    loaded_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["active"], condition=Q(active=True), name="one_active_bank_dataset"
            ),
        ]

    def __str__(self) -> str:
        return self.version


class Bank(models.Model):
    """A bank of one version: four-digit code, name as written, name in bank text."""

    dataset = models.ForeignKey(BankDataset, on_delete=models.PROTECT, db_index=False)
    code = models.CharField(max_length=4)
    name = models.CharField(max_length=60)
    kana = models.CharField(max_length=15)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["dataset", "code"], name="bank_once_per_dataset")
        ]

    def __str__(self) -> str:
        return self.code


class Branch(models.Model):
    """A branch of one version: the bank's code, its own three digits, both names."""

    dataset = models.ForeignKey(BankDataset, on_delete=models.PROTECT, db_index=False)
    bank_code = models.CharField(max_length=4)
    code = models.CharField(max_length=3)
    name = models.CharField(max_length=60)
    kana = models.CharField(max_length=15)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "bank_code", "code"], name="branch_once_per_dataset"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.bank_code}-{self.code}"


class RefundTerms(models.Model):
    """The limits of the refund. Each version was adopted with its source, and the newest one is in
    force. Amounts are in minor units. The remitter is the operator's own account as the bank knows
    it.
    """

    remitter_code = models.CharField(max_length=10)
    remitter_name = models.CharField(max_length=40)
    bank_code = models.CharField(max_length=4)
    bank_name = models.CharField(max_length=15, blank=True)
    branch_code = models.CharField(max_length=3)
    branch_name = models.CharField(max_length=15, blank=True)
    account_type = models.CharField(max_length=1, default="2")
    account_number = models.CharField(max_length=7)
    auto_approve_max_minor = models.BigIntegerField(default=300_000)
    two_approvers_above_minor = models.BigIntegerField(default=100_000_000)
    file_records_max = models.IntegerField(default=999_999)
    cooling_off_hours = models.IntegerField(default=24)
    holders_per_account_max = models.IntegerField(default=3)
    returns_before_postal_order = models.IntegerField(default=3)
    source = models.TextField(help_text="Who laid these limits down, and where.")
    adopted_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        triggers = [*append_only(), *witnessed()]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    file_records_max__range=(1, 999_999),
                    cooling_off_hours__gte=0,
                    holders_per_account_max__gte=1,
                    returns_before_postal_order__gte=1,
                    auto_approve_max_minor__gte=0,
                    two_approvers_above_minor__gte=0,
                ),
                name="terms_within_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"limits of {self.adopted_at:%Y-%m-%d}"
