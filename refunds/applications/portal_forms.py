"""The questions of the customer's application, one form for each page."""

from __future__ import annotations

import unicodedata
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from refunds.applications import answers, names
from refunds.bankfiles import iban, kana
from refunds.bankfiles.errors import UnbankableText
from refunds.bankfiles.iban import IbanRefused
from refunds.bankfiles.yucho import YuchoRefused
from refunds.models import Bank, Branch, Payee
from refunds.payouts import bank_search
from refunds.payouts.methods import postal_addresses
from refunds.payouts.methods.postal_addresses import AddressRefused, PostalAddress
from winddown import words
from winddown.site.forms import SayingField

_PLAIN = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
_DIGITS = {**_PLAIN, "inputmode": "numeric"}
# Between digits people write these; nobody means anything by them.
_BETWEEN = str.maketrans("", "", " -‐‑‒–—−ー\u3000")
STALE = _(
    "You changed an answer in another window. This page now shows your newest answers:"
    " check them, and go on."
)
ACCOUNT_TYPES = [
    (Payee.AccountType.ORDINARY.value, pgettext_lazy("bank account", "Ordinary")),
    (Payee.AccountType.CURRENT.value, pgettext_lazy("bank account", "Current")),
    (Payee.AccountType.SAVINGS.value, pgettext_lazy("bank account", "Savings")),
]


def digits(typed: str) -> str:
    """Returns the number as banks write it: plain digits, without what people write in between."""
    return unicodedata.normalize("NFKC", typed).translate(_BETWEEN)


class _Seen(forms.Form):
    """A page that shows earlier answers. `present` is their digest: the page sends it, and a form
    with another one is out of date.
    """

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, present: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.present = present

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if given.get("seen") != self.present:
            raise forms.ValidationError(STALE)
        return given


class BankForm(forms.Form):
    """Which bank."""

    q = forms.CharField(
        label=_("Name of the bank, or its code of four digits"),
        help_text=_("In kanji, kana or Latin letters."),
        max_length=60,
        widget=forms.TextInput(attrs={**_PLAIN, "enterkeyhint": "search"}),
        error_messages={"required": _("Enter a name to search for, or choose a bank.")},
    )


class IbanForm(forms.Form):
    """The bank account, where a programme asks for an IBAN."""

    iban = forms.CharField(
        label=_("IBAN"),
        help_text=_(
            "For example DE89 3704 0044 0532 0130 00. It is on your bank card or statement."
        ),
        max_length=iban.TYPED_MAX,
        widget=forms.TextInput(attrs={**_PLAIN, "autocapitalize": "characters"}),
        error_messages={"required": _("Enter your IBAN.")},
    )

    def clean_iban(self) -> str:
        typed = unicodedata.normalize("NFKC", self.cleaned_data["iban"])
        try:
            return iban.canonical(typed)
        except IbanRefused as refusal:
            raise forms.ValidationError(
                _("This is no IBAN: a character is wrong or missing. Compare it with your card.")
            ) from refusal


class AccountForm(_Seen):
    """Branch, kind and number of the account."""

    branch = forms.CharField(
        label=_("Branch"),
        help_text=_("Its name, or its code of three digits. Both are on the cash card."),
        max_length=60,
        widget=forms.TextInput(attrs=_PLAIN),
        error_messages={"required": _("Enter the branch.")},
    )
    kind = forms.ChoiceField(label=_("Kind of account"), choices=ACCOUNT_TYPES)
    number = forms.CharField(
        label=_("Account number"),
        help_text=_("Up to seven digits. If it is shorter, zeros are put before it."),
        max_length=20,
        widget=forms.TextInput(attrs=_DIGITS),
        error_messages={"required": _("Enter the account number.")},
    )

    matches: list[Branch]

    def __init__(self, *args: Any, bank: Bank, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.bank = bank
        self.matches = []

    def clean_branch(self) -> str:
        """Returns the code of the branch. Several that fit are offered, and none is guessed."""
        found = bank_search.branches(self.bank.code, self.cleaned_data["branch"])
        if len(found) == 1:
            return str(found[0].code)
        if not found:
            raise forms.ValidationError(
                _(
                    "This bank has no such branch. Look at your cash card or your bank's app:"
                    " branches that were merged have another name and code now."
                )
            )
        self.matches = found[: bank_search.FOUND_MAX]
        raise forms.ValidationError(
            _("%(count)s branches fit. Choose yours below, or type more of its name."),
            params={"count": len(found)},
        )

    def clean_number(self) -> str:
        number = digits(self.cleaned_data["number"])
        if not number.isascii() or not number.isdigit():
            raise forms.ValidationError(_("Enter the account number in digits only."))
        if len(number) > 7:
            raise forms.ValidationError(_("An account number has at most seven digits."))
        if not number.strip("0"):
            raise forms.ValidationError(_("Zero is no account number."))
        return f"{number:0>7}"

    def answers(self) -> dict[str, Any]:
        given = self.cleaned_data
        return {"branch": given["branch"], "kind": given["kind"], "number": given["number"]}


class YuchoForm(_Seen):
    """記号 and 番号 of Japan Post Bank."""

    symbol = forms.CharField(
        label=_("記号 (kigō, five digits)"),
        help_text=_("The first number on the card or in the passbook. It begins with 0 or 1."),
        max_length=20,
        widget=forms.TextInput(attrs=_DIGITS),
        error_messages={"required": _("Enter the 記号.")},
    )
    yucho_number = forms.CharField(
        label=_("番号 (bangō, up to eight digits)"),
        help_text=_("The last number. Leave out a single digit that stands between the two."),
        max_length=20,
        widget=forms.TextInput(attrs=_DIGITS),
        error_messages={"required": _("Enter the 番号.")},
    )
    matches: tuple[Branch, ...] = ()

    def __init__(self, *args: Any, bank: Bank, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.bank = bank

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if "symbol" in given and "yucho_number" in given:
            try:
                self.converted = answers.of_yucho(
                    digits(given["symbol"]), digits(given["yucho_number"])
                )
            except YuchoRefused as refusal:
                if refusal.field == "symbol":
                    self.add_error("symbol", _("Enter five digits that begin with 0 or 1."))
                else:
                    self.add_error(
                        "yucho_number",
                        _(
                            "Enter two to eight digits that end in 1; for a transfer account"
                            " (振替口座), one to seven digits."
                        ),
                    )
            else:
                if bank_search.branch(self.bank.code, self.converted["branch"]) is None:
                    self.add_error(
                        "symbol", _("There is no branch for this 記号. Check all five digits.")
                    )
        return given

    def answers(self) -> dict[str, Any]:
        return self.converted


class FallbackForm(_Seen):
    """What happens if the money does not arrive: asked once, where another way is offered."""

    fallback = forms.BooleanField(
        label=_("If it does not arrive, send me the money in another way without asking"),
        required=False,
    )


class AddressForm(FallbackForm):
    """Where a letter goes."""

    to = SayingField(
        label=_("Name on the letter"),
        max_length=postal_addresses.NAME_MAX,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={"required": _("Enter the name on the letter.")},
    )
    postal_code = forms.CharField(
        label=_("Postal code"),
        help_text=_("Seven digits."),
        max_length=10,
        widget=forms.TextInput(attrs={"autocomplete": "postal-code", "inputmode": "numeric"}),
        error_messages={"required": _("Enter the postal code.")},
    )
    lines = SayingField(
        label=_("Postal address"),
        help_text=_("Prefecture, city, town and number; building and room if there are any."),
        max_length=postal_addresses.LINES_MAX,
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "street-address"}),
        error_messages={"required": _("Enter the postal address.")},
    )
    field_order = ("seen", "to", "postal_code", "lines", "fallback")

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if not self.errors:
            try:
                PostalAddress.typed(
                    name=given["to"], postal_code=given["postal_code"], lines=given["lines"]
                )
            except AddressRefused as refusal:
                field = refusal.facts["field"]
                words_of = {"name": "to"}.get(field, field)
                self.add_error(words_of, words.refusal(refusal))
        return given


class NameForm(FallbackForm):
    """The name of the account, in two fields, and what happens if the transfer fails."""

    family = SayingField(
        label=_("Family name in kana (セイ)"),
        help_text=_("For example ヤマダ"),
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off", "lang": "ja"}),
        error_messages={"required": _("Enter the family name in kana.")},
    )
    given = SayingField(
        label=_("Given name in kana (メイ)"),
        help_text=_("For example タロウ"),
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off", "lang": "ja"}),
        error_messages={"required": _("Enter the given name in kana.")},
    )
    as_written = forms.BooleanField(
        label=_("The bank has the account under exactly this name"), required=False
    )
    differs = ""

    def __init__(self, *args: Any, holder_kana: str, in_kana: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.holder_kana = holder_kana
        self.in_kana = in_kana
        self.fitted: kana.Fitted | None = None
        if not in_kana:
            for name, label, example in (
                ("family", _("Family name"), _("For example MUSTER")),
                ("given", _("Given name"), _("For example ANNA")),
            ):
                field = self.fields[name]
                field.label, field.help_text = label, example
                field.error_messages["required"] = _("Enter the name as the bank writes it.")
                field.widget.attrs.pop("lang")

    def clean_family(self) -> str:
        return self._bankable("family")

    def clean_given(self) -> str:
        return self._bankable("given")

    def _bankable(self, name: str) -> str:
        typed: str = self.cleaned_data[name].strip()
        try:
            kana.to_bank_kana(typed)
        except UnbankableText as refusal:
            raise forms.ValidationError(
                _("Write it in kana. The bank network cannot carry: %(characters)s")
                if self.in_kana
                else _("The bank network cannot carry: %(characters)s"),
                params={"characters": " ".join(refusal.characters)},
            ) from refusal
        return typed

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if "family" in given and "given" in given:
            self.fitted = answers.seen_by_the_bank(given)
            if self.holder_kana:
                self.differs = names.compared(self.holder_kana, self.fitted.text)
            if self.differs in ASKED and not given["as_written"]:
                self.add_error("as_written", ASKED[self.differs])
        return given


# What differs from the name that we know is asked about, and blocks nothing.
ASKED = {
    names.SWAPPED: _(
        "Family and given name look swapped beside the name that we know. Correct them, or tick"
        " this box if the bank writes them so."
    ),
    names.NEAR: _(
        "One character differs from the name that we know. Correct it, or tick this box if the"
        " bank writes it so."
    ),
    names.OTHER: _(
        "This is another name than the one that we know. Correct it, or tick this box if the"
        " account is yours under this name. We may ask you about it."
    ),
    names.COMPANY: _(
        "This is the name of a company. Correct it, or tick this box if the account is the"
        " company's. We may ask you about it."
    ),
}


class CheckForm(_Seen):
    """The answers are right, and the amount is the one that the page shows."""

    confirmed_minor = forms.IntegerField(required=False, widget=forms.HiddenInput)
    op_id = forms.UUIDField(required=False, widget=forms.HiddenInput)
