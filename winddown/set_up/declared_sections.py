"""The sections `funding_sources`, `login_providers`, `instruments` and `merchants`: what the service
consists of.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from winddown.actors import Actor
from winddown.models import FundingSource, Instrument, LoginProvider, Merchant
from winddown.models.declared import CODE
from winddown.programme import capabilities, declared
from winddown.set_up.sections import SECTIONS, Row, RowForm, Section

_CODE_IS = "two to sixteen of a-z, 0-9 and _; it never changes"
_TITLE_IS = "the name on pages in {}"


class FundingSourceForm(RowForm):
    code = forms.RegexField(
        CODE,
        initial=("credit_card", "debit_card", "atm_cash", "register_cash", "points", "bonus"),
        help_text=f"the word for it in the files of top-ups: {_CODE_IS}",
    )
    kind = forms.ChoiceField(
        choices=FundingSource.Kind.choices,
        initial=("credit_card", "debit_card", "cash", "cash", "points", "bonus"),
        help_text=f"one of {', '.join(FundingSource.Kind.values)}; bonus is value that nobody"
        " refunds",
    )
    title_en = forms.CharField(
        max_length=60,
        initial=(
            "credit card",
            "debit card",
            "cash at an ATM",
            "cash at a register",
            "points",
            "bonus value",
        ),
        help_text=_TITLE_IS.format("English"),
    )
    title_ja = forms.CharField(
        max_length=60,
        initial=(
            "クレジットカード",
            "デビットカード",
            "ATMの現金",
            "レジの現金",
            "ポイント",
            "特典",
        ),
        help_text=_TITLE_IS.format("Japanese"),
    )


class LoginProviderForm(RowForm):
    code = forms.RegexField(
        CODE,
        initial=("google", "line"),
        help_text=f"the word for it in the files of identities: {_CODE_IS}",
    )
    title_en = forms.CharField(
        max_length=60, initial=("Google", "LINE"), help_text=_TITLE_IS.format("English")
    )
    title_ja = forms.CharField(
        max_length=60, initial=("Google", "LINE"), help_text=_TITLE_IS.format("Japanese")
    )

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        if code in ("password", "passkey"):
            raise forms.ValidationError("The service itself has this way to sign in.")
        return code


def _named(code: str, english: str, japanese: str, **more: str) -> Row:
    return {"code": code, "title_en": english, "title_ja": japanese, **more}


def _present(model: Any, form: type[RowForm]) -> list[Row]:
    return list(model.objects.values(*form.base_fields))


def _adopt(model: Any, prefix: str, rows: Sequence[Row], actor: Actor, reason: str) -> list[str]:
    """Each row is declared, with its switch. One that a person adds after the beginning starts
    stopped: two people restart it, and nothing opens again by a change of the file.
    """
    known = set(model.objects.values_list("code", flat=True))
    for row in rows:
        model.objects.update_or_create(code=row["code"], defaults=dict(row))
    declared.forget()
    capabilities.declare_all()
    if actor.pk is None:
        return []
    added = [f"{prefix}:{row['code']}" for row in rows if row["code"] not in known]
    for code in added:
        capabilities.stop(code, actor=actor, reason=reason)
    return [f"{code} is stopped until two people restart it" for code in added]


SECTIONS.add(
    "funding_sources",
    Section(
        form=FundingSourceForm,
        adopt=lambda rows, actor, reason: _adopt(
            FundingSource, declared.TOP_UP, rows, actor, reason
        ),
        present=lambda: _present(FundingSource, FundingSourceForm),
        named_by="code",
        rows_min=1,
        fixed=frozenset({"kind"}),
        examples=6,
        other_examples={
            "eu": [
                _named("bank_card", "bank card", "銀行カード", kind="debit_card"),
                _named("sepa_debit", "bank account", "銀行口座", kind="bank"),
                _named("gift", "gift value", "ギフト", kind="bonus"),
            ],
            "uk": [
                _named("bank_card", "bank card", "銀行カード", kind="debit_card"),
                _named("faster_payment", "bank account", "銀行口座", kind="bank"),
                _named("gift", "gift value", "ギフト", kind="bonus"),
            ],
        },
    ),
)
SECTIONS.add(
    "login_providers",
    Section(
        form=LoginProviderForm,
        adopt=lambda rows, actor, reason: _adopt(
            LoginProvider, declared.LOGIN, rows, actor, reason
        ),
        present=lambda: _present(LoginProvider, LoginProviderForm),
        named_by="code",
        examples=2,
        other_examples={
            "eu": [_named("google", "Google", "Google"), _named("apple", "Apple", "Apple")],
            "uk": [_named("apple", "Apple", "Apple")],
        },
    ),
)


class InstrumentForm(RowForm):
    code = forms.RegexField(CODE, initial="wallet", help_text=_CODE_IS)
    kind = forms.ChoiceField(
        choices=Instrument.Kind.choices,
        initial="prepaid_wallet",
        help_text=f"one of {', '.join(Instrument.Kind.values)}",
    )
    nature = forms.ChoiceField(
        choices=Instrument.Nature.choices,
        initial="third_party_prepaid",
        help_text=f"what it is in law: one of {', '.join(Instrument.Nature.values)}",
    )
    title_en = forms.CharField(
        max_length=100, initial="Sakura Pay balance", help_text=_TITLE_IS.format("English")
    )
    title_ja = forms.CharField(
        max_length=100, initial="さくらペイ残高", help_text=_TITLE_IS.format("Japanese")
    )


class MerchantForm(RowForm):
    merchant_ref = forms.CharField(
        max_length=64, initial="M-0001", help_text="the word for it in the files of payments"
    )
    name = forms.CharField(max_length=100, initial="Kissa Momo")
    email = forms.EmailField(
        required=False,
        initial="momo@example.com",
        help_text="where the notice to merchants goes; or give an address",
    )
    address = forms.CharField(
        required=False,
        max_length=200,
        initial="1-2-3 Sakura, Tokyo",
        help_text="where a letter goes",
    )
    paid_out = forms.BooleanField(
        required=False,
        initial=False,
        help_text="true when everything that it is owed has been paid, else false",
    )

    def clean(self) -> dict[str, Any]:
        read: dict[str, Any] = super().clean() or {}
        if not self.errors and not (read.get("email") or read.get("address")):
            self.add_error("email", "An e-mail or a postal address is needed: it must be told.")
        return read


def _keep(model: Any, named_by: str, rows: Sequence[Row]) -> list[str]:
    """Each row is in force. There may be thousands, so rows with the same keys are one statement."""
    by_keys: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        by_keys.setdefault(tuple(row), []).append(row)
    for keys, alike in by_keys.items():
        model.objects.bulk_create(
            [model(**row) for row in alike],
            update_conflicts=True,
            unique_fields=[named_by],
            update_fields=[key for key in keys if key != named_by],
            batch_size=1_000,
        )
    return []


SECTIONS.add(
    "instruments",
    Section(
        form=InstrumentForm,
        adopt=lambda rows, _actor, _reason: _keep(Instrument, "code", rows),
        present=lambda: _present(Instrument, InstrumentForm),
        named_by="code",
        other_examples={
            "eu": [
                _named(
                    "wallet", "Linden Pay balance", "リンデンペイ残高", nature="electronic_money"
                )
            ],
            "uk": [
                _named("wallet", "Rowan Pay balance", "ローワンペイ残高", nature="electronic_money")
            ],
        },
    ),
)
SECTIONS.add(
    "merchants",
    Section(
        form=MerchantForm,
        adopt=lambda rows, _actor, _reason: _keep(Merchant, "merchant_ref", rows),
        present=lambda: _present(Merchant, MerchantForm),
        named_by="merchant_ref",
        other_examples={
            "eu": [{"name": "Café Linde", "address": "Lindenweg 1, Berlin"}],
            "uk": [{"name": "The Rowan Tree", "address": "1 Rowan Road, London"}],
        },
    ),
)
