"""The sections of the set-up file about issuers, banks, payout methods and the limits of refunds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django import forms
from django.core.validators import RegexValidator

from refunds.attribution import claim_rules
from refunds.models import (
    BankAccount,
    BankProfile,
    ClaimTerms,
    Issuer,
    MethodTerms,
    RefundTerms,
    SchemeClock,
    Successor,
)
from refunds.models.claim_terms import SAMPLE_EVERY, default_bands
from refunds.payouts import refund_limits
from refunds.payouts.methods import METHODS
from winddown.actors import Actor
from winddown.set_up.sections import SECTIONS, Problem, Row, RowForm, Rows, Section

_NAME = r"^[a-z0-9][a-z0-9_-]{1,19}$"
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


class DaysField(forms.Field):
    """A list of days, as TOML or ISO 8601 writes them. Its value is a list of texts in order."""

    def to_python(self, value: Any) -> list[str]:
        try:
            days = {dt.date.fromisoformat(str(each)) for each in value or []}
        except (TypeError, ValueError):
            raise forms.ValidationError("A list of days like 2019-08-13 is expected.") from None
        return [day.isoformat() for day in sorted(days)]


class ProfileForm(RowForm):
    code = forms.RegexField(
        _NAME, initial="sakura_bank", help_text="two to twenty of a-z, 0-9, _ and -"
    )
    lines_max = forms.IntegerField(
        min_value=1,
        max_value=999_999,
        initial=5_000,
        help_text="how many transfers the bank takes in one file, 1 to 999999",
    )
    file_sum_max_minor = forms.IntegerField(
        min_value=1,
        max_value=999_999_999_999,
        initial=9_999_999_999,
        help_text="what they come to at most, in the smallest unit of the currency",
    )
    format = forms.TypedChoiceField(
        required=False,
        empty_value="zengin",
        choices=BankProfile.Format.choices,
        initial="zengin",
        help_text=f"what its files are: one of {', '.join(BankProfile.Format.values)};"
        " usually zengin",
    )
    charset = forms.ChoiceField(
        choices=BankProfile.Charset.choices,
        initial="jis_x_0201",
        help_text=f"how its files are encoded: one of {', '.join(BankProfile.Charset.values)}",
    )
    name_truncation = forms.IntegerField(
        min_value=1,
        max_value=140,
        initial=30,
        help_text="how many characters of a payee's name it takes, 1 to 140",
    )
    cut_off = forms.RegexField(
        r"^([01][0-9]|2[0-3]):[0-5][0-9]$",
        initial="15:00",
        help_text="until when it takes a file for the next bank day, as HH:MM",
    )
    closed_days = DaysField(
        required=False,
        initial=["2019-08-13"],
        help_text="days on which it alone is closed, such as 2019-08-13",
    )
    account_types = forms.MultipleChoiceField(
        choices=[(each, each) for each in BankProfile.ACCOUNT_TYPES],
        initial=["1", "2", "4"],
        help_text="the accounts that it pays into: 1 ordinary, 2 current, 4 savings, 9 other",
    )
    source = forms.CharField(
        initial="manual of the bank's file service, edition of April 2019",
        help_text="who says so, and where",
    )


class AccountForm(RowForm):
    code = forms.RegexField(_NAME, initial="main", help_text="two to twenty of a-z, 0-9, _ and -")
    profile = forms.CharField(initial="sakura_bank", help_text="the code of a bank profile")
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


class PairsField(forms.Field):
    """A list of pairs: the greatest amount, and what holds up to it. Its value is the same list in
    order of the amounts.
    """

    example: str

    def to_python(self, value: Any) -> list[list[int]]:
        pairs = [list(each) if isinstance(each, list) else [] for each in value or []]
        sound = all(
            len(pair) == 2 and all(type(each) is int and each >= 0 for each in pair)
            for pair in pairs
        )
        if not sound or len({pair[0] for pair in pairs}) < len(pairs):
            raise forms.ValidationError(self.example)
        return sorted(pairs)


class CostsField(PairsField):
    """What one payout costs, by its amount."""

    example = (
        "A list of pairs like [[10000, 360], [100000, 420]] is expected:"
        " up to which amount, and what one payout costs."
    )


class BandsField(PairsField):
    """How many claims one person decides at once, by their amount."""

    example = (
        "A list of pairs like [[30000, 200], [100000, 100]] is expected:"
        " up to which amount, and how many claims are decided at once, 1 to 500."
    )

    def to_python(self, value: Any) -> list[list[int]]:
        pairs = super().to_python(value)
        if not all(1 <= claims <= 500 for _, claims in pairs):
            raise forms.ValidationError(self.example)
        return pairs or default_bands()


class MethodForm(RowForm):
    code = forms.ChoiceField(
        choices=[(code, code) for code in METHODS.names()],
        initial="postal_order",
        help_text=f"one of {', '.join(METHODS.names())}",
    )
    place = forms.IntegerField(
        min_value=1,
        max_value=99,
        initial=2,
        help_text="the order in which the methods are offered and follow each other, 1 to 99",
    )
    amount_max_minor = forms.IntegerField(
        min_value=1,
        max_value=9_999_999_999,
        initial=100_000,
        help_text="the greatest amount that it carries, in the smallest unit of the currency",
    )
    costs = CostsField(
        initial=[[10_000, 360], [100_000, 420]],
        help_text="pairs of the greatest amount, and what one payout up to it costs the operator",
    )
    money_days = forms.IntegerField(
        min_value=0,
        max_value=90,
        initial=10,
        help_text="after how many days the holder has the money, 0 to 90",
    )
    valid_days = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=730,
        initial=180,
        help_text="after how many days it expires if it is not cashed, 0 to 730; 0 if it never does",
    )
    source = forms.CharField(
        initial="price list of the provider, April 2019", help_text="who says so, and where"
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        method = METHODS.get(given.get("code", ""))
        if method is None or self.errors:
            return given
        if method.is_voucher and not given["valid_days"]:
            self.add_error("valid_days", "It expires if nobody cashes it: say after how many days.")
        cap = method.amount_max_minor
        if cap is not None and given["amount_max_minor"] > cap:
            self.add_error("amount_max_minor", f"It carries at most {cap}.")
        return given


class SuccessorForm(RowForm):
    name = forms.CharField(
        max_length=60, initial="Wakaba Pay", help_text="another issuer that takes balances over"
    )
    contact = forms.CharField(
        max_length=200,
        initial="03-0000-0000, wakaba.example",
        help_text="where a holder asks it for the balance; customers read it",
    )
    day_max_minor = forms.IntegerField(
        min_value=1,
        initial=20_000,
        help_text="what one person may hand over in a day, in the smallest unit of the currency",
    )
    person_max_minor = forms.IntegerField(
        min_value=1, initial=100_000, help_text="what one person may hand over in all"
    )
    source = forms.CharField(
        initial="agreement of 1 August 2019", help_text="who laid this down, and where"
    )


class LimitsForm(RowForm):
    pays_from = forms.CharField(
        initial="main", help_text="the code of the bank account that refunds are paid from"
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
    straight_through_percent = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=100,
        initial=90,
        help_text="the share of people and of the amount, in percent, that should be payable"
        " without anybody's touch",
    )
    line_max_minor = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=9_999_999_999,
        initial=1_000_000,
        help_text="what one transfer may come to, in the smallest unit of the currency",
    )
    batch_max_minor = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=999_999_999_999,
        initial=1_000_000_000,
        help_text="what one payout file may come to; at least one transfer's cap",
    )
    day_max_minor = forms.IntegerField(
        required=False,
        min_value=1,
        initial=3_000_000_000,
        help_text="what all payout files of one value date may come to; at least one file's cap",
    )
    release_grace_minutes = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=1_440,
        initial=10,
        help_text="how long a released payout file can still be stopped by one person, 0 to 1440"
        " minutes",
    )
    source = forms.CharField(
        initial="decision of the board, 1 August 2019", help_text="who laid this down, and where"
    )


class ClaimsForm(RowForm):
    tracing = forms.ChoiceField(
        choices=ClaimTerms.Tracing.choices,
        initial="lifo",
        help_text="which value a payment took whose payer nobody can name: one of"
        f" {', '.join(ClaimTerms.Tracing.values)}",
    )
    bands = BandsField(
        required=False,
        initial=default_bands(),
        help_text="pairs of the greatest amount, and how many claims of at most it one person decides"
        " at once, 1 to 500",
    )
    sample_every = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=1_000,
        initial=SAMPLE_EVERY,
        help_text="of how many proposed claims one is reviewed by another supervisor too, 1 to 1000",
    )
    source = forms.CharField(
        initial="decision of the board, 5 July 2019", help_text="who laid this down, and where"
    )


class SchemeClockForm(RowForm):
    code = forms.RegexField(
        r"^[a-z0-9][a-z0-9_-]{1,39}$",
        initial="jcb_answer",
        help_text="two to forty of a-z, 0-9, _ and -",
    )
    scheme = forms.RegexField(
        r"^[a-z]{2,20}$",
        initial="jcb",
        help_text="the card scheme: visa, mastercard, jcb or another one",
    )
    stage = forms.ChoiceField(
        choices=SchemeClock.Stage.choices,
        initial="answer",
        help_text=f"the stage of a dispute: one of {', '.join(SchemeClock.Stage.values)}",
    )
    days = forms.IntegerField(
        min_value=1, max_value=730, initial=30, help_text="how many days it lasts, 1 to 730"
    )
    source = forms.CharField(
        initial="letter of the acquirer, 10 July 2019", help_text="who says so, and where"
    )
    valid_from = forms.DateField(
        initial=dt.date(2019, 7, 1), help_text="the day from which it counts"
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


def _clocks() -> list[Row]:
    return list(SchemeClock.objects.order_by("code").values(*SchemeClockForm.base_fields))


def _adopt_clocks(rows: Sequence[Row], actor: Actor, reason: str) -> Sequence[str]:
    """Each clock counts in place of the one that comes with the system."""
    del actor, reason
    for row in rows:
        SchemeClock.objects.update_or_create(code=row["code"], defaults=dict(row))
    return ()


def _profiles() -> list[Row]:
    return list(BankProfile.objects.order_by("pk").values(*ProfileForm.base_fields))


def _adopt_profiles(rows: Sequence[Row], actor: Actor, reason: str) -> Sequence[str]:
    """Each bank profile holds, also for the limits of the refund if it is paid through that bank."""
    for row in rows:
        BankProfile.objects.update_or_create(code=row["code"], defaults=dict(row))
    named = [row["code"] for row in rows]
    accounts = BankAccount.objects.filter(profile__code__in=named).values_list("code", flat=True)
    refund_limits.follow_account(set(accounts), actor=actor, reason=reason)
    return ()


def _accounts() -> list[Row]:
    return [
        {
            **{key: getattr(each, key) for key in AccountForm.base_fields},
            "profile": each.profile.code,
        }
        for each in BankAccount.objects.select_related("profile").order_by("pk")
    ]


def _adopt_accounts(rows: Sequence[Row], actor: Actor, reason: str) -> Sequence[str]:
    """Each bank account is known, also to the limits of the refund if it is paid from there."""
    for row in rows:
        profile = BankProfile.objects.get(code=row["profile"])
        BankAccount.objects.update_or_create(code=row["code"], defaults={**row, "profile": profile})
    refund_limits.follow_account({row["code"] for row in rows}, actor=actor, reason=reason)
    return ()


def _methods() -> list[Row]:
    return list(MethodTerms.objects.order_by("place", "code").values(*MethodForm.base_fields))


def _adopt_methods(rows: Sequence[Row], actor: Actor, reason: str) -> Sequence[str]:
    """Each payout method is offered with these terms."""
    del actor, reason
    for row in rows:
        MethodTerms.objects.update_or_create(code=row["code"], defaults=dict(row))
    return ()


def _successors() -> list[Row]:
    return list(Successor.objects.order_by("name").values(*SuccessorForm.base_fields))


def _adopt_successors(rows: Sequence[Row], actor: Actor, reason: str) -> Sequence[str]:
    """Each successor is known with these caps."""
    del actor, reason
    for row in rows:
        Successor.objects.update_or_create(name=row["name"], defaults=dict(row))
    return ()


def _limits() -> list[Row]:
    newest = RefundTerms.objects.order_by("-pk").first()
    if newest is None:
        return []
    present = {key: getattr(newest, key) for key in LimitsForm.base_fields}
    return [{key: value for key, value in present.items() if value != ""}]


def _adopt_limits(rows: Sequence[Row], actor: Actor, reason: str) -> Sequence[str]:
    (row,) = rows
    terms = refund_limits.account_terms(row["pays_from"])
    refund_limits.set_down({**row, **terms}, actor=actor, reason=reason)
    return ()


def _claims() -> list[Row]:
    newest = claim_rules.in_force()
    if newest is None:
        return []
    return [{key: getattr(newest, key) for key in ClaimsForm.base_fields}]


def _adopt_claims(rows: Sequence[Row], actor: Actor, reason: str) -> Sequence[str]:
    (row,) = rows
    claim_rules.set_down(row, actor=actor, reason=reason)
    return ()


# The account that pays has no IBAN yet, and the limits name an account that the files are for.
_NO_BANK_FILE: Mapping[str, Sequence[Row]] = {"eu": (), "uk": ()}


def _refers(name: str, key: str, to: str) -> Callable[[Rows], list[Problem]]:
    """Returns the check that `key` of the section `name` is a code of the section `to`."""

    def check(rows: Rows) -> list[Problem]:
        present = SECTIONS[to].present
        in_force = present() if present is not None else []
        known = sorted({each["code"] for each in (*rows[to], *in_force)})
        return [
            Problem(
                f"{name}[{place}].{key}" if SECTIONS[name].named_by else f"{name}.{key}",
                f"There is no {row[key]} among {to}; known are {', '.join(known) or 'none'}.",
            )
            for place, row in enumerate(rows[name], 1)
            if row[key] not in known
        ]

    return check


SECTIONS.add(
    "issuers",
    Section(form=IssuerForm, adopt=_adopt_issuers, present=_issuers, named_by="code"),
    place=1,
)
SECTIONS.add(
    "scheme_clocks",
    Section(form=SchemeClockForm, adopt=_adopt_clocks, present=_clocks, named_by="code"),
    place=1,
)
SECTIONS.add(
    "bank_profiles",
    Section(
        form=ProfileForm,
        adopt=_adopt_profiles,
        present=_profiles,
        named_by="code",
        other_examples=_NO_BANK_FILE,
    ),
    place=2,
)
SECTIONS.add(
    "bank_accounts",
    Section(
        form=AccountForm,
        adopt=_adopt_accounts,
        present=_accounts,
        named_by="code",
        check=_refers("bank_accounts", "profile", to="bank_profiles"),
        other_examples=_NO_BANK_FILE,
    ),
    place=2,
)
SECTIONS.add(
    "payout_methods",
    Section(
        form=MethodForm,
        adopt=_adopt_methods,
        present=_methods,
        named_by="code",
        other_examples=_NO_BANK_FILE,
    ),
    place=3,
)
SECTIONS.add(
    "successors",
    Section(
        form=SuccessorForm,
        adopt=_adopt_successors,
        present=_successors,
        named_by="name",
    ),
    place=4,
)
SECTIONS.add(
    "refund_limits",
    Section(
        form=LimitsForm,
        adopt=_adopt_limits,
        present=_limits,
        check=_refers("refund_limits", "pays_from", to="bank_accounts"),
        other_examples=_NO_BANK_FILE,
    ),
    place=3,
)
SECTIONS.add(
    "claims",
    Section(form=ClaimsForm, adopt=_adopt_claims, present=_claims),
    place=3,
)
