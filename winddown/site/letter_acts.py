"""The act that prints letters, of whoever has letters to print."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _

from winddown.actors import Actor
from winddown.programme.evidence_files import File
from winddown.site.acts import Act
from winddown.site.forms import ReasonForm
from winddown.site.pages import stored_file
from winddown.words import Text


class LettersForm(ReasonForm):
    number = forms.IntegerField(
        label=_("The file of letters, again"),
        required=False,
        min_value=1,
        max_value=2**31 - 1,
        help_text=_("Its number. Empty: the letters that are in no file yet."),
    )


def letters_act(
    *,
    title: Text,
    effect: Text,
    permission: str,
    export: Callable[..., File],
    any_exists: Callable[[], bool],
) -> Act:
    """Returns the act after which the next letters, or those of a file again, are in the browser."""

    def do(actor: Actor, given: dict[str, Any]) -> HttpResponse:
        return stored_file(export(actor=actor, reason=given["reason"], number=given["number"]))

    return Act(
        title=title,
        effect=effect,
        permission=permission,
        form=LettersForm,
        do=do,
        not_now=lambda: "" if any_exists() else _("There is no letter."),
    )
