"""The forms of the console: a reason for every act, and what a plan needs."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from winddown import card_numbers, texts
from winddown.programme import capabilities
from winddown.runs.params_form import ParamsForm
from winddown.set_up import beginning, reading
from winddown.set_up.sections import Rows
from winddown.words import Text

REASON_MAX = 500
CARD_NUMBER_TOLD = _("This has a card number. Write only its last four digits.")


class SayingField(forms.CharField):
    """A text that must say something: one of spaces and invisible characters counts as empty."""

    def to_python(self, value: Any) -> str:
        text = super().to_python(value) or ""
        return "" if texts.is_blank(text) else text


class ToldField(SayingField):
    """A text in somebody's own words. A card number in it is refused, because the text is kept."""

    def clean(self, value: Any) -> str:
        text: str = super().clean(value)
        if card_numbers.told_in(text):
            raise ValidationError(CARD_NUMBER_TOLD)
        return text


class RowField(forms.IntegerField):
    """A row, by the number that the pages and the commands show."""

    def __init__(self, model: type[Model], *, missing: Text, **kwargs: Any) -> None:
        super().__init__(min_value=1, **kwargs)
        self._model, self._missing = model, missing

    def clean(self, value: Any) -> Any:
        number = super().clean(value)
        if number is None:
            return None
        found = self._model._default_manager.filter(pk=number).first()
        if found is None:
            raise forms.ValidationError(str(self._missing))
        return found


class ReasonForm(forms.Form):
    """The reason, for the audit journal. A decision about a plan also sends the digest of the plan
    that the page showed.
    """

    reason = ToldField(
        label=_("Reason"),
        max_length=REASON_MAX,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Give the reason: it goes into the audit journal.")},
    )
    digest = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)


class _SwitchesField(forms.MultipleChoiceField):
    """Switches that are on. One that somebody else stopped since the page was shown does not keep
    the others running.
    """

    def valid_value(self, value: Any) -> bool:
        return value in capabilities.codes()

    def clean(self, value: Any) -> list[str]:
        choices: Any = self.choices
        offered = {code for code, _title in choices}
        left = [code for code in super().clean(value) if code in offered]
        if not left:
            raise forms.ValidationError(_("What you chose is stopped already."))
        return left


class StopForm(ReasonForm):
    """Which switches are stopped."""

    codes = _SwitchesField(
        label=_("Switches that stop"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one.")},
    )

    def __init__(self, *args: Any, choices: list[tuple[str, Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = self.fields["codes"]
        if not isinstance(chosen, forms.ChoiceField):
            raise AssertionError("the field is a choice")
        chosen.choices = choices


class SetUpForm(ReasonForm):
    """A changed set-up file, as text."""

    content = forms.CharField(
        label=_("Set-up file (TOML)"),
        max_length=reading.BYTES_MAX,
        strip=False,
        widget=forms.Textarea(
            attrs={"rows": 24, "spellcheck": "false", "autocapitalize": "off", "class": "code"}
        ),
    )

    def clean_content(self) -> Rows:
        """Returns the rows of the file, if it is in order and changes something."""
        try:
            rows = reading.read(self.cleaned_data["content"].encode())
            if not beginning.changes(rows):
                raise forms.ValidationError(_("The file says what is in force already."))
        except reading.NotUnderstood as refusal:
            raise forms.ValidationError([str(each) for each in refusal.problems]) from refusal
        return rows


class RetryForm(ReasonForm):
    """Which class of failures is retried."""

    reason_code = forms.ChoiceField(label=_("Failures of the class"))

    def __init__(self, *args: Any, codes: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = self.fields["reason_code"]
        if not isinstance(chosen, forms.ChoiceField):
            raise AssertionError("the field is a choice")
        chosen.choices = [(code, code) for code in codes]


class RateForm(ReasonForm):
    """How many rows a second all workers of a run move together."""

    rows_s_max = forms.IntegerField(
        label=_("Rows a second, at most"), required=False, min_value=1, max_value=1_000_000
    )


def plan_form(params: type[ParamsForm]) -> type[ParamsForm]:
    """Returns the form of a plan: the parameters, and the reason for it."""
    return type("PlanForm", (params, ReasonForm), {})
