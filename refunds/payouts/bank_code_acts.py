"""What people do with the list of bank codes, as one declaration for command and page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from refunds.bankfiles import bank_list, zengin_codes
from refunds.bankfiles.bank_list import BankList
from refunds.bankfiles.errors import BankFileError
from refunds.payouts import bank_codes
from winddown.actors import Actor
from winddown.site.acts import Act
from winddown.site.forms import ReasonForm, SayingField

BYTES_MAX = 2**24


class ListForm(ReasonForm):
    list_version = SayingField(
        label=_("Version"),
        max_length=40,
        required=False,
        help_text=_("What its publisher calls it, as 2019-10. Leave it empty without a file."),
    )
    file = forms.FileField(
        label=_("List of bank codes"),
        required=False,
        help_text=_(
            "CSV in UTF-8 with bank_code, bank_name, bank_kana, branch_code, branch_name,"
            " branch_kana. Without a file, the list that is installed with this software is loaded."
        ),
    )

    def clean_file(self) -> BankList | None:
        given = self.cleaned_data["file"]
        if not isinstance(given, UploadedFile):
            return None
        if (given.size or 0) > BYTES_MAX:
            raise ValidationError(_("The file is too large."))
        try:
            return bank_list.read(bytes(given.read()))
        except BankFileError as refusal:
            raise ValidationError(str(refusal)) from refusal

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if "file" in given and (given["file"] is None) == bool(given.get("list_version")):
            self.add_error("list_version", _("A file has a version, and only a file has one."))
        return given


def _load(actor: Actor, given: dict[str, Any]) -> object:
    listed = given["file"]
    dataset, request = bank_codes.load(
        version=given["list_version"] or zengin_codes.dataset_version(),
        banks=zengin_codes.banks() if listed is None else listed.banks,
        branches=zengin_codes.branches() if listed is None else listed.branches,
        actor=actor,
        reason=given["reason"],
    )
    return dataset if request is None else request


BANK_CODES: dict[str, Act] = {
    "load": Act(
        title=pgettext_lazy("verb", "Load a list of bank codes"),
        effect=_(
            "The first list is in force at once. For every later one a second person is asked, who"
            " sees what would be new, changed and closed."
        ),
        permission=bank_codes.PERMISSION,
        form=ListForm,
        do=_load,
        tone="main",
    ),
}
