"""What staff do with documents of applications, as one declaration for command and page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from refunds.applications import documents
from refunds.models import ApplicationDocument, RefundApplication
from winddown.actors import Actor
from winddown.site.acts import Act
from winddown.site.fields import EvidenceField
from winddown.site.forms import ReasonForm, RowField
from winddown.site.pages import stored_file
from winddown.words import Text

_Applicant = ApplicationDocument.Applicant
APPLICANTS: dict[str, Text] = {
    _Applicant.HEIR: _("Heir"),
    _Applicant.MINOR: pgettext_lazy("applicant", "Minor"),
    _Applicant.COMPANY: pgettext_lazy("applicant", "Company"),
    _Applicant.AGENT: pgettext_lazy("applicant", "Agent"),
    _Applicant.GUARDIAN: _("Guardian of an adult"),
}
CODES: dict[str, Text] = {
    "death_record": _("Record of the death"),
    "family_register": _("Family register"),
    "birth_record": _("Record of the birth"),
    "heirs_agreement": _("Agreement of all heirs"),
    "certificate_of_succession": _("Certificate of succession"),
    "consent_of_parents": _("Consent of the parents"),
    "company_register": _("Extract from the company register"),
    "seal_certificate": _("Certificate of the company's seal"),
    "mandate": _("Mandate by the holder"),
    "guardianship_record": _("Record of the guardianship"),
    "identity": _("Proof of the applicant's identity"),
    "identity_of_holder": _("Proof of the holder's identity"),
}


class DemandForm(ReasonForm):
    field_order = ("application", "applicant", "reason")
    application = RowField(
        RefundApplication,
        label=_("Number of the application"),
        missing=_("There is no application of this number."),
    )
    applicant = forms.ChoiceField(label=_("Who applies"), choices=list(APPLICANTS.items()))


class DocumentForm(ReasonForm):
    document = RowField(
        ApplicationDocument,
        label=_("Number of the document"),
        missing=_("There is no document of this number."),
    )


class ReceiveForm(DocumentForm):
    field_order = ("document", "file", "reason")
    file = EvidenceField(label=_("File"), help_text=_("PDF, PNG or JPEG, at most 5 MiB."))


def _check(*, accept: bool) -> Any:
    def do(actor: Actor, given: dict[str, Any]) -> object:
        return documents.check(
            given["document"], accept=accept, actor=actor, reason=given["reason"]
        )

    return do


def _read(actor: Actor, given: dict[str, Any]) -> HttpResponse:
    file = documents.disclose(given["document"], actor=actor, reason=given["reason"])
    return stored_file(file)


DOCUMENTS: dict[str, Act] = {
    "demand": Act(
        title=pgettext_lazy("verb", "Ask an applicant for documents"),
        effect=_(
            "The applicant is told at the account's address. Nobody approves before all are accepted."
        ),
        permission=documents.WORK,
        form=DemandForm,
        do=lambda actor, given: documents.demand(
            given["application"],
            applicant=given["applicant"],
            actor=actor,
            reason=given["reason"],
        ),
    ),
    "receive": Act(
        title=pgettext_lazy("verb", "Take in a document"),
        effect=_("It is kept encrypted. Another person checks it."),
        permission=documents.WORK,
        form=ReceiveForm,
        do=lambda actor, given: documents.receive(
            given["document"], given["file"], actor=actor, reason=given["reason"]
        ),
    ),
    "read": Act(
        title=pgettext_lazy("verb", "Read a document"),
        effect=_("You get the file. The audit journal records it."),
        permission=documents.WORK,
        form=DocumentForm,
        do=_read,
    ),
    "accept": Act(
        title=pgettext_lazy("verb", "Accept a document"),
        effect=_("It counts as shown."),
        permission=documents.WORK,
        form=DocumentForm,
        do=_check(accept=True),
    ),
    "refuse": Act(
        title=pgettext_lazy("verb", "Refuse a document"),
        effect=_("The applicant is asked for it again."),
        permission=documents.WORK,
        form=DocumentForm,
        do=_check(accept=False),
        tone="danger",
    ),
}
