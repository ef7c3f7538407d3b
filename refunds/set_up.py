"""The sections `issuers` and `refund_limits` of the set-up file."""

from __future__ import annotations

from collections.abc import Sequence

from django import forms
from django.core.validators import RegexValidator

from refunds.models import Issuer, RefundTerms
from refunds.payouts import refund_limits
from winddown.actors import Actor
from winddown.set_up.sections import SECTIONS, Row, RowForm, Section

_DIGITS = r"^[0-9]{%s}$"


class IssuerForm(RowForm):
    code = forms.RegexField(
        r"^[A-Z0-9_-]{2,20}$", initial="SAKURA_CARD", help_text="two to twenty of A-Z, 0-9, _ and -"
    )
    name = forms.CharField(max_length=100, initial="Sakura Card")
    closes_on_day = forms.IntegerField(
        min_value=1,
        max_value=31,
        initial=15,
        help_text="the day of the month that ends a bill, 1 to 31; 31 is the last day",
    )
    pays_on_day = forms.IntegerField(
        min_value=1,
        max_value=31,
        initial=10,
        help_text="the day of the following month on which the cardholder is debited, 1 to 31",
    )
    stop_before_days = forms.IntegerField(
        min_value=0,
        max_value=60,
        initial=5,
        help_text="until how many days before the debit it can be stopped, 0 to 60",
    )
    margin_days = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=60,
        initial=2,
        help_text="how many days earlier the request goes out, 0 to 60; usually 2",
    )
    answer_days = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=120,
        initial=5,
        help_text="after how many bank days an answer is overdue, 1 to 120; usually 5",
    )
    source = forms.CharField(
        initial="telephone call with the issuer, 2 July 2019", help_text="who says so, and where"
    )


def _digits(number: str) -> RegexValidator:
    return RegexValidator(_DIGITS % number, f"{number.replace(',', ' to ')} digits are expected.")


class LimitsForm(RowForm):
    remitter_code = forms.CharField(
        validators=[_digits("10")], initial="0123456789", help_text="ten digits, from the bank"
    )
    remitter_name = forms.CharField(
        max_length=40, initial="ｻｸﾗﾍﾟｲ(ｶ", help_text="the operator in half-width katakana"
    )
    bank_code = forms.CharField(
        validators=[_digits("4")], initial="0001", help_text="the operator's bank: four digits"
    )
    branch_code = forms.CharField(
        validators=[_digits("3")], initial="001", help_text="its branch: three digits"
    )
    account_type = forms.ChoiceField(
        choices=[("1", "ordinary"), ("2", "current")],
        initial="2",
        help_text="1 for an ordinary account, 2 for a current account",
    )
    account_number = forms.CharField(
        validators=[_digits("7")], initial="1234567", help_text="seven digits"
    )
    auto_approve_max_minor = forms.IntegerField(
        required=False,
        min_value=0,
        initial=300_000,
        help_text="up to which amount an application without a finding needs no person,"
        " in the smallest unit of the currency",
    )
    two_approvers_above_minor = forms.IntegerField(
        required=False,
        min_value=0,
        initial=100_000_000,
        help_text="above which sum a payout file needs two approvers",
    )
    file_records_max = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=999_999,
        initial=5_000,
        help_text="how many transfers the bank takes in one file, 1 to 999999",
    )
    cooling_off_hours = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=720,
        initial=24,
        help_text="how long a new account waits before it is paid, 0 to 720 hours",
    )
    holders_per_account_max = forms.IntegerField(
        required=False,
        min_value=1,
        initial=3,
        help_text="how many holders one bank account may be of without a person's look",
    )
    source = forms.CharField(
        initial="decision of the board, 1 August 2019", help_text="who laid this down, and where"
    )


def _issuers() -> list[Row]:
    return [
        {key: getattr(each, key) for key in IssuerForm.base_fields}
        for each in Issuer.objects.order_by("code")
    ]


def _adopt_issuers(rows: Sequence[Row], actor: Actor, reason: str) -> Sequence[str]:
    """Each issuer is known with these terms."""
    del actor, reason
    for row in rows:
        Issuer.objects.update_or_create(code=row["code"], defaults=dict(row))
    return ()


def _limits() -> list[Row]:
    newest = RefundTerms.objects.order_by("-pk").first()
    if newest is None:
        return []
    return [{key: getattr(newest, key) for key in LimitsForm.base_fields}]


def _adopt_limits(rows: Sequence[Row], actor: Actor, reason: str) -> Sequence[str]:
    (row,) = rows
    refund_limits.set_down(row, actor=actor, reason=reason)
    return ()


SECTIONS.add(
    "issuers",
    Section(form=IssuerForm, adopt=_adopt_issuers, present=_issuers, named_by="code"),
    place=1,
)
SECTIONS.add(
    "refund_limits",
    Section(form=LimitsForm, adopt=_adopt_limits, present=_limits),
    place=2,
)
