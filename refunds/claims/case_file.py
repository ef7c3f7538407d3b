"""The file of one claim: what was reported, kept, noted and told, and which claims hang together."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from accounts.models import Message, User
from refunds.claims import links, noting, reports, thieves
from refunds.claims.report_acts import CHANNELS
from refunds.models import ClaimFile, ClaimNote, FraudClaim, FraudReport
from winddown.models import AuditEntry
from winddown.words import Text

NOTES: dict[str, Text] = {
    ClaimNote.Kind.NOTE: _("Note"),
    ClaimNote.Kind.ASSIGNED: _("Assigned"),
    ClaimNote.Kind.DUE: _("Due"),
    ClaimNote.Kind.SNOOZED: _("Put off"),
    ClaimNote.Kind.ESCALATED: _("Escalated"),
    ClaimNote.Kind.LINK_SEEN: _("Linked claim looked at"),
}
LINKS: dict[str, Text] = {
    links.Kind.DEVICE: _("reported from the same device"),
    links.Kind.NETWORK: _("reported from the same network"),
    links.Kind.PAYEE: _("the same bank account"),
    links.Kind.POST: _("the same postal address"),
    links.Kind.MAIL: _("e-mail addresses that differ by a letter"),
}
MESSAGES: dict[str, Text] = {
    Message.Kind.FRAUD_REPORTED: _("The report is in"),
    Message.Kind.FRAUD_ASKED: _("Were these movements yours?"),
    Message.Kind.FRAUD_DECIDED: _("The decision"),
}


@dataclass(frozen=True, slots=True)
class Reported:
    """One report with its channel and its words in clear, for those who may open the claim."""

    report: FraudReport
    channel: Text
    words: str
    named: str
    proposed: str


@dataclass(frozen=True, slots=True)
class Linked:
    """A claim that hangs together with this one, and why."""

    link: links.Link
    why: list[Text]


@dataclass(frozen=True, slots=True)
class Noted:
    """A note with its kind in words."""

    note: ClaimNote
    kind: Text


@dataclass(frozen=True, slots=True)
class Told:
    """A message to the holder, and when it went."""

    what: Text
    queued_at: dt.datetime
    sent_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class CaseFile:
    """Everything that people said, kept and noted about one claim, the oldest first."""

    standing: noting.Standing
    is_thief: bool
    reports: list[Reported]
    files: list[ClaimFile]
    links: list[Linked]
    notes: list[Noted]
    messages: list[Told]
    timeline: list[AuditEntry]

    @property
    def unseen(self) -> int:
        return sum(not each.link.is_seen for each in self.links)


def of(claim: FraudClaim) -> CaseFile:
    """Returns the file of the claim. Who calls it records that the claim was opened."""
    told = Message.objects.filter(
        user=claim.wallet.account_id, kind__in=MESSAGES, facts__reference=claim.reference
    )
    return CaseFile(
        standing=noting.standing(claim),
        is_thief=claim.pk in thieves.of([claim.pk]),
        reports=[_reported(each) for each in claim.reports.order_by("pk")],
        files=list(claim.files.defer("content_sealed").select_related("given_by").order_by("pk")),
        links=[Linked(link, [LINKS[each] for each in link.kinds]) for link in links.of(claim)],
        notes=[
            Noted(each, NOTES[each.kind])
            for each in claim.notes.select_related("noted_by", "person", "other").order_by("pk")
        ],
        messages=[
            Told(MESSAGES[each.kind], each.queued_at, each.sent_at) for each in told.order_by("pk")
        ],
        timeline=list(
            AuditEntry.objects.filter(subject=claim.subject)
            .exclude(action="claim.open")
            .order_by("seq")
        ),
    )


def _reported(report: FraudReport) -> Reported:
    return Reported(
        report,
        CHANNELS[report.channel],
        reports.words_of(report),
        " ".join(report.movements),
        " ".join(report.proposed),
    )


def enquiries() -> list[tuple[FraudReport, str]]:
    """Returns the questions without an answer, with their words, the oldest first."""
    found = FraudReport.objects.filter(kind=FraudReport.Kind.ENQUIRY, answered_at=None)
    return [(each, reports.words_of(each)) for each in found.order_by("pk")[:50]]


def people() -> list[User]:
    """Returns the members of staff who have claims, by name."""
    assigned = ClaimNote.objects.filter(kind=ClaimNote.Kind.ASSIGNED).values("person")
    return list(User.objects.filter(pk__in=assigned).order_by("login_id"))
