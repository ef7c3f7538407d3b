"""The end of the refunds: the pages of what is to be approved, and words of states."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from refunds.closing import buckets, closing_page, document_words, other_end_page
from winddown import words
from winddown.site import panels
from winddown.site.panels import Change
from winddown.words import StateWord

words.REFUSALS.add_all(
    {
        "CannotOpen": _("The pack does not open: {why}"),
    }
)


@panels.SUBJECTS.entry("closing_proof")
def _proof_subject(subject: str) -> panels.SubjectPage:
    return panels.SubjectPage(
        title=format_lazy(_("Closing proof {number}"), number=subject.split(":")[1]),
        url=reverse("console:closing"),
    )


@panels.CONTENTS.entry("closing_proof")
def _proof_content(listed: dict[str, Any]) -> list[Change]:
    """Returns the sum of all wallets, then how many ended in each bucket."""
    return [
        Change(
            _("Sealed at the close"), buckets.total(listed["buckets"], "sealed"), is_amount=True
        ),
        *(
            Change(closing_page.BUCKETS[name], bucket["wallets"])
            for name, bucket in listed["buckets"].items()
        ),
    ]


@panels.SUBJECTS.entry("other_end")
def _other_end_subject(subject: str) -> panels.SubjectPage:
    return panels.SubjectPage(
        title=format_lazy(
            _("List of refunds that end otherwise {number}"), number=subject.split(":")[1]
        ),
        url=reverse("console:other_ends"),
    )


@panels.CONTENTS.entry("other_end")
def _other_end_content(listed: dict[str, Any]) -> list[Change]:
    return [
        Change(other_end_page.KINDS[listed["kind"]], listed["total_minor"], is_amount=True),
        Change(_("Refunds"), listed["items"]),
    ]


@panels.SUBJECTS.entry("closing_document")
def _document_subject(subject: str) -> panels.SubjectPage:
    return panels.SubjectPage(
        title=format_lazy(_("Document of the end {number}"), number=subject.split(":")[1]),
        url=reverse("console:closing"),
    )


@panels.CONTENTS.entry("closing_document")
def _document_content(listed: dict[str, Any]) -> list[Change]:
    if listed["amount_minor"] is None:
        return []
    return [Change(document_words.KINDS[listed["kind"]], listed["amount_minor"], is_amount=True)]


words.STATES.add(
    "closing_document",
    {
        "waiting": StateWord(_("Waiting for approval"), "wait"),
        "confirmed": StateWord(pgettext_lazy("closing document", "Confirmed"), "on"),
        "rejected": StateWord(pgettext_lazy("closing document", "Rejected"), "off"),
    },
)


words.STATES.add(
    "closing_proof",
    {
        "waiting": StateWord(_("Waiting for approval"), "wait"),
        "confirmed": StateWord(pgettext_lazy("closing proof", "Confirmed"), "on"),
        "overtaken": StateWord(pgettext_lazy("closing proof", "Something moved since"), "bad"),
        "rejected": StateWord(pgettext_lazy("closing proof", "Rejected"), "off"),
    },
)
