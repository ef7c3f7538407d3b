"""The page of documents: what applicants have still to show, and what is to be checked."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from refunds.applications.document_acts import APPLICANTS, CODES, DOCUMENTS
from refunds.models import ApplicationDocument, RefundApplication
from winddown import clock
from winddown.actors import Actor
from winddown.site import acts
from winddown.site.decisions import Decision
from winddown.words import Text

SHOWN_MAX = 200
MISSING, RECEIVED, ACCEPTED, REFUSED = "missing", "received", "accepted", "refused"


@dataclass(frozen=True, slots=True)
class Row:
    """One document, and how it stands."""

    document: ApplicationDocument

    @property
    def title(self) -> Text:
        return CODES[self.document.code]

    @property
    def applicant(self) -> Text:
        return APPLICANTS[self.document.applicant]

    @property
    def state(self) -> str:
        if self.document.accepted is not None:
            return ACCEPTED if self.document.accepted else REFUSED
        return RECEIVED if self.document.received_at is not None else MISSING

    @property
    def is_missing(self) -> bool:
        return self.state == MISSING

    @property
    def is_to_be_checked(self) -> bool:
        return self.state == RECEIVED


@dataclass(frozen=True, slots=True)
class DocumentsPage:
    """The documents of live applications that are not accepted, those to be checked first."""

    at: dt.datetime
    rows: list[Row]
    to_check: int
    missing: int
    decisions: list[Decision]


def look(*, actor: Actor) -> DocumentsPage:
    """Returns the page as `actor` sees it."""
    found = ApplicationDocument.objects.filter(application__live=True, accepted=None)
    found = found.defer("content_sealed")
    shown = [
        *found.exclude(received_at=None).select_related("received_by").order_by("pk")[:SHOWN_MAX]
    ]
    shown += found.filter(received_at=None).order_by("pk")[: SHOWN_MAX - len(shown)]
    return DocumentsPage(
        at=clock.now(),
        rows=[Row(each) for each in shown],
        to_check=found.exclude(received_at=None).count(),
        missing=found.filter(received_at=None).count(),
        decisions=[acts.decision(verb, act, actor=actor) for verb, act in DOCUMENTS.items()],
    )


def of_application(application: RefundApplication) -> list[Row]:
    """Returns every document that was asked of the application, in their order."""
    found = ApplicationDocument.objects.filter(application=application).defer("content_sealed")
    return [Row(each) for each in found.select_related("received_by", "checked_by").order_by("pk")]
