"""The sections `funding_sources` and `login_providers`: how wallets are charged, and which other
services let customers in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from winddown.actors import Actor
from winddown.models import FundingSource, LoginProvider
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
    ),
)
