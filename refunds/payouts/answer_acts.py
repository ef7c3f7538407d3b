"""What people do with the bank's answers at the console."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from refunds.models import BankFile, UploadedAnswer
from refunds.payouts import results, uploads, voiding
from winddown.actors import Actor
from winddown.site.acts import Act
from winddown.site.forms import ReasonForm, RowField

_SHA256 = re.compile(r"\A[0-9a-f]{64}\Z")


def is_sha256(text: str) -> bool:
    """Returns whether the text is a SHA-256 in hex digits."""
    return _SHA256.fullmatch(text) is not None


class UploadForm(ReasonForm):
    file = forms.FileField(
        label=_("File of the bank"),
        help_text=_(
            "Results and returns, status reports, statements, or account-name checks. Nothing is booked yet."
        ),
    )

    def clean_file(self) -> bytes:
        given = self.cleaned_data["file"]
        if not isinstance(given, UploadedFile):
            raise AssertionError("a form with a file has one")
        # One byte more shows that the file is too large.
        return bytes(given.read(UploadedAnswer.BYTES_MAX + 1))


class VoidForm(ReasonForm):
    number = RowField(
        BankFile,
        label=_("Number of the file"),
        missing=_("There is no file of the bank of this number."),
    )


class BookForm(ReasonForm):
    sha256 = forms.RegexField(regex=_SHA256, widget=forms.HiddenInput)


def _book(actor: Actor, given: dict[str, Any]) -> object:
    return uploads.book(given["sha256"], shown=given["digest"], actor=actor, reason=given["reason"])


ANSWERS: dict[str, Act] = {
    "upload": Act(
        title=pgettext_lazy("verb", "Upload the bank's answer"),
        effect=_("The file is kept encrypted, and you see what it would change."),
        permission=results.PERMISSION,
        form=UploadForm,
        do=lambda actor, given: uploads.upload(given["file"], actor=actor, reason=given["reason"]),
        tone="main",
    ),
    "book": Act(
        title=pgettext_lazy("verb", "Book the file"),
        effect=_(
            "Refunds count as paid or returned as the preview says. What conflicts becomes a break."
        ),
        permission=results.PERMISSION,
        form=BookForm,
        do=_book,
        tone="danger",
    ),
    "void": Act(
        title=pgettext_lazy("verb", "Ask to void a file of the bank"),
        effect=_(
            "When a second person agrees, all that the file changed is undone. Its rows are kept."
        ),
        permission=voiding.PERMISSION,
        form=VoidForm,
        do=lambda actor, given: voiding.ask_void(
            given["number"], actor=actor, reason=given["reason"]
        ),
    ),
}
