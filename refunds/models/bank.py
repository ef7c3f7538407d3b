"""Banks and branches by version of the public code list, and the limits of the refund."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Q

from winddown.guards import Guard, append_only, columns_are_fixed, rows_are_kept
from winddown.sqlstates import SqlState
from winddown.witness import witnessed


class BankDataset(models.Model):
    """One version of the public list of bank and branch codes. Exactly one is active. The first came
    into force by itself, and each later one by two people.
    """

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
        triggers = [
            rows_are_kept(),
            columns_are_fixed("version", "loaded_at"),
            Guard(
                name="later_list_by_two",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("active"),
                condition=pgtrigger.Condition("NEW.active AND NOT OLD.active"),
                func=f"""
                    IF EXISTS (SELECT FROM refunds_bankdataset d WHERE d.id < OLD.id)
                        AND NOT EXISTS (
                            SELECT FROM winddown_signature s
                            JOIN winddown_approval a ON a.id = s.approval_id
                            WHERE s.part = 'approved' AND s.signer_id <> a.maker_id
                              AND s.subject LIKE format('bank_dataset:%s:%%', OLD.id))
                    THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.NOT_APPROVED}',
                            MESSAGE = format(
                                'bank codes %s are not in force without a second person', OLD.version);
                    END IF;
                    RETURN NEW;
                """,
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


class BankProfile(models.Model):
    """What a bank says about the files that it takes. The source names who says so."""

    class Charset(models.TextChoices):
        JIS_X_0201 = "jis_x_0201"
        SHIFT_JIS = "shift_jis"
        UTF_8 = "utf_8"

    class Format(models.TextChoices):
        ZENGIN = "zengin"
        ISO20022 = "iso20022"
        CSV = "csv"

    ACCOUNT_TYPES = ("1", "2", "4", "9")
    """Ordinary, current, savings, other: the codes of the Zengin formats."""

    code = models.CharField(max_length=20, unique=True)
    lines_max = models.IntegerField(help_text="How many transfers one file holds at most.")
    file_sum_max_minor = models.BigIntegerField(help_text="What they come to at most.")
    format = models.CharField(
        max_length=12,
        choices=Format.choices,
        default=Format.ZENGIN,
        help_text="What its files are: an entry of the table of formats.",
    )
    charset = models.CharField(max_length=12, choices=Charset.choices)
    name_truncation = models.SmallIntegerField(
        help_text="How many characters of a payee's name the bank takes."
    )
    cut_off = models.CharField(max_length=5, help_text="Until when on the day before, as HH:MM.")
    closed_days = models.JSONField(
        default=list, help_text="Days on which this bank alone is closed, as ISO dates."
    )
    account_types = models.JSONField(help_text="The types of payees' accounts that it takes.")
    source = models.TextField()

    class Meta:
        default_permissions = ()
        triggers = [
            *witnessed(older=({"format": "'zengin'"},)),
            rows_are_kept(),
            columns_are_fixed("code"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(lines_max__range=(1, 999_999), file_sum_max_minor__gte=1),
                name="bank_profile_within_reason",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class BankAccount(models.Model):
    """An account of the operator, as its bank knows it."""

    code = models.CharField(max_length=20, unique=True)
    profile = models.ForeignKey(BankProfile, on_delete=models.PROTECT, related_name="accounts")
    remitter_code = models.CharField(max_length=10)
    remitter_name = models.CharField(max_length=40)
    bank_code = models.CharField(max_length=4)
    branch_code = models.CharField(max_length=3)
    account_type = models.CharField(max_length=1)
    account_number = models.CharField(max_length=7)

    class Meta:
        default_permissions = ()
        triggers = [*witnessed(), rows_are_kept(), columns_are_fixed("code")]

    def __str__(self) -> str:
        return self.code


# What the migration gave to the limits from before the caps.
_WITHOUT_CAPS = {
    "line_max_minor": "9999999999",
    "batch_max_minor": "999999999999",
    "day_max_minor": "9999999999999",
    "release_grace_minutes": "0",
}


class RefundTerms(models.Model):
    """The limits of the refund. Each version was adopted with its source, and the newest one is in
    force. Amounts are in minor units. The remitter is the operator's own account as the bank knows
    it.

    The caps of a transfer, a file and a value date bind every file that has not left, whatever the
    limits were when it was made. Each cap takes what the smaller one lets through, so that no
    payout is too large for every day.
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
    pays_from = models.CharField(
        max_length=20, blank=True, help_text="The bank account of the set-up file, if it names one."
    )
    file_records_max = models.IntegerField(default=999_999)
    file_sum_max_minor = models.BigIntegerField(default=999_999_999_999)
    cooling_off_hours = models.IntegerField(default=24)
    holders_per_account_max = models.IntegerField(default=3)
    returns_before_postal_order = models.IntegerField(default=3)
    straight_through_percent = models.SmallIntegerField(
        default=90, help_text="The share of people and amount that should need nobody's touch."
    )
    line_max_minor = models.BigIntegerField(
        default=9_999_999_999, help_text="What one transfer may come to."
    )
    batch_max_minor = models.BigIntegerField(
        default=999_999_999_999, help_text="What one file may come to, by our own rule."
    )
    day_max_minor = models.BigIntegerField(
        default=9_999_999_999_999, help_text="What all files of one value date may come to."
    )
    release_grace_minutes = models.SmallIntegerField(
        default=0, help_text="How long a released file can be stopped by one person."
    )
    source = models.TextField(help_text="Who laid these limits down, and where.")
    adopted_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        triggers = [
            *append_only(),
            *witnessed(
                older=(
                    {
                        "file_sum_max_minor": "999999999999",
                        "pays_from": "''",
                        "straight_through_percent": "90",
                        **_WITHOUT_CAPS,
                    },
                    {"straight_through_percent": "90", **_WITHOUT_CAPS},
                    _WITHOUT_CAPS,
                )
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    file_records_max__range=(1, 999_999),
                    file_sum_max_minor__gte=1,
                    cooling_off_hours__gte=0,
                    holders_per_account_max__gte=1,
                    returns_before_postal_order__gte=1,
                    auto_approve_max_minor__gte=0,
                    two_approvers_above_minor__gte=0,
                    straight_through_percent__range=(0, 100),
                    line_max_minor__gte=1,
                    batch_max_minor__gte=F("line_max_minor"),
                    day_max_minor__gte=F("batch_max_minor"),
                    release_grace_minutes__range=(0, 1_440),
                ),
                name="terms_within_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"limits of {self.adopted_at:%Y-%m-%d}"
