"""The form in which a person chooses the parameters of a run."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.utils import translation

from winddown.words import Text


class ParamsForm(forms.Form):
    """The parameters of a workflow, one field each. The form of a workflow without any is this one.

    It only offers choices. `Workflow.check_params` judges them, as it judges those of the command.
    """

    within: ClassVar[Mapping[str, Sequence[str]]] = {}
    """By a parameter that is an object: the fields that are its keys."""

    def params(self) -> dict[str, Any]:
        """Returns what was chosen in a valid form, as JSON holds it. What was left empty is left
        out, so that the workflow's default holds.
        """
        chosen: dict[str, Any] = {
            name: value.isoformat() if isinstance(value, dt.date) else value
            for name, value in self.cleaned_data.items()
            if name not in ("reason", "digest") and value not in (None, "", [])
        }
        for outer, names in self.within.items():
            chosen[outer] = {name: chosen.pop(name) for name in names if name in chosen}
        return chosen

    @classmethod
    def told(cls) -> str:
        """Returns the names of the parameters in English, with their choices, as JSON nests them."""
        inner = {name for names in cls.within.values() for name in names}
        with translation.override("en"):
            told = {name: _told(name, field) for name, field in cls.base_fields.items()}
        return "; ".join(
            [
                *(each for name, each in told.items() if name not in inner),
                *(
                    f"{outer}: an object of {{{'; '.join(told[name] for name in names)}}}"
                    for outer, names in cls.within.items()
                ),
            ]
        )


class DeclaredChoices(forms.MultipleChoiceField):
    """Some of the codes that a section of the set-up file declares; all of them at first."""

    widget = forms.CheckboxSelectMultiple

    def __init__(
        self,
        *,
        section: str,
        codes: Callable[[], list[str]],
        name: Callable[[str], Text],
        **kw: Any,
    ) -> None:
        self.section = section
        super().__init__(
            choices=lambda: [(code, name(code)) for code in codes()], initial=codes, **kw
        )


def _told(name: str, field: forms.Field) -> str:
    if isinstance(field, DeclaredChoices):
        return f"{name}: {field.label} (codes of {field.section} in the set-up file)"
    choices = getattr(field, "choices", None)
    codes = f" ({', '.join(str(code) for code, _ in choices)})" if choices else ""
    return f"{name}: {field.label}{codes}"
