"""The forms of filings: the sections of a kind, and the receipt of the authority."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from winddown.programme import filing_kinds
from winddown.programme.filing_kinds import Kind
from winddown.site.fields import DayField, EvidenceField, LocalInstantField, happened
from winddown.site.forms import ReasonForm

TEXT_MAX = 20_000
AS_OF = "as_of"


class MeasuresField(forms.CharField):
    """Measures, one a line."""

    def clean(self, value: Any) -> str:
        text: str = super().clean(value)
        try:
            filing_kinds.measures_in(text)
        except ValueError as error:
            raise forms.ValidationError(
                _(
                    "Write this line like: what is done | who answers for it | 2019-10-01 (%(line)s)"
                ),
                params={"line": str(error)},
            ) from error
        return text


def write_form(kind: Kind) -> type[ReasonForm]:
    """Returns the form of the kind: a field for each section, and the instant of the figures."""
    fields: dict[str, forms.Field] = {}
    for code, section in kind.sections.items():
        chosen = MeasuresField if section.is_measures else forms.CharField
        fields[code] = chosen(
            label=section.title,  # type: ignore[arg-type]  # The stubs know no lazy text.
            required=False,
            max_length=TEXT_MAX,
            widget=forms.Textarea(attrs={"rows": 4}),
            help_text=(
                _("One a line: what is done | who answers for it | 2019-10-01")
                if section.is_measures
                else ""
            ),
        )
    fields[AS_OF] = LocalInstantField(
        label=_("Figures as of"),
        required=False,
        between=happened,
        help_text=_("As 2019-09-30T24:00 in the programme's time zone. Empty: now."),
    )
    return type("WriteForm", (ReasonForm,), fields)


class ReceiptForm(ReasonForm):
    """The receipt of the authority, with the file that shows it."""

    number = forms.CharField(label=_("Number of the receipt"), max_length=80)
    received_on = DayField(
        label=_("Day of the receipt"), help_text=_("As 2019-10-01."), between=happened
    )
    evidence = EvidenceField(
        label=_("Evidence"), help_text=_("The stamped copy or the answer. The file is kept.")
    )
