"""A field of a form: its control, bound to its hint and its errors, with what was typed before."""

from __future__ import annotations

from typing import Any

from django import forms, template
from django.forms.boundfield import BoundField
from django.utils.safestring import SafeString

register = template.Library()

_NEVER_KEPT = (forms.PasswordInput, forms.HiddenInput, forms.FileInput)


@register.simple_tag(takes_context=True)
def typed_again(context: dict[str, Any], field: BoundField) -> str:
    """The field shows what was typed before the language was switched. A password, a code and a
    hidden value are never shown again.
    """
    typed = getattr(context.get("request"), "typed", None)
    widget = field.field.widget
    secret = widget.attrs.get("autocomplete") == "one-time-code"
    if typed is not None and not secret and not isinstance(widget, _NEVER_KEPT):
        value = widget.value_from_datadict(typed, {}, field.html_name)
        field.form.initial[field.name] = value
        vars(field).pop("initial", None)
    return ""


@register.simple_tag
def ids_of(field: BoundField, hint: Any) -> str:
    """Returns the ids of the texts that describe the field: of its hint and of its errors."""
    ids = [f"{field.html_name}-hint"] if hint else []
    if field.errors:
        ids.append(f"{field.html_name}-error")
    return " ".join(ids)


@register.simple_tag
def control(field: BoundField, ids: str) -> SafeString:
    """Returns the control of the field, described by the elements with these ids."""
    return field.as_widget(attrs={"aria-describedby": ids or False})
