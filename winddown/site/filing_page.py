"""The filings as staff see them: what is due until when, who waits for whom, and each version."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from winddown.actors import Actor
from winddown.authority import approvals, roles
from winddown.authority.role_words import role_words, who_may
from winddown.errors import NotPermitted
from winddown.models import Approval, Filing, FilingReceipt, FilingVersion, Signature
from winddown.programme import evidence_files, filing_duties, filing_kinds, filings
from winddown.programme.evidence_files import Facts
from winddown.programme.filing_duties import Due
from winddown.programme.filing_kinds import CLOCKS, FIGURES, KINDS, Measure
from winddown.site import panels
from winddown.site.decisions import Decision
from winddown.words import Text

NONE = "none"

# verb -> button, tone, permission
_VERBS: dict[str, tuple[Text, str, str]] = {
    "write": (pgettext_lazy("verb", "Write a version"), "plain", filings.WRITE),
    "propose": (pgettext_lazy("verb", "Propose"), "main", filings.WRITE),
    "file": (pgettext_lazy("verb", "Record the filing"), "danger", filings.FILE),
    "accept": (pgettext_lazy("verb", "Record that it was accepted"), "main", filings.FILE),
    "give-back": (pgettext_lazy("verb", "Record that it was sent back"), "plain", filings.FILE),
}
_OFFERS: dict[str, tuple[str, ...]] = {
    NONE: ("write",),
    Filing.State.DRAFT: ("propose", "write"),
    Filing.State.PROPOSED: (),
    Filing.State.APPROVED: ("file", "write"),
    Filing.State.FILED: ("accept", "give-back"),
    Filing.State.RETURNED: ("write",),
    Filing.State.ACCEPTED: (),
    # Its clock was stopped, and runs again.
    Filing.State.WITHDRAWN: ("write",),
}
ACTS: dict[str, Callable[[Due, Actor, dict[str, Any]], object]] = {
    "write": lambda due, by, given: filings.write(
        due.key,
        sections={code: given[code] for code in KINDS[due.kind].sections},
        as_of=given["as_of"],
        actor=by,
        reason=given["reason"],
    ),
    "propose": lambda due, by, given: filings.propose(
        _written(due), actor=by, reason=given["reason"]
    ),
    "file": lambda due, by, given: filings.file(
        _written(due),
        number=given["number"],
        received_on=given["received_on"],
        evidence=given["evidence"],
        actor=by,
        reason=given["reason"],
    ),
    "accept": lambda due, by, given: filings.answer(
        _written(due), accepted=True, actor=by, reason=given["reason"]
    ),
    "give-back": lambda due, by, given: filings.answer(
        _written(due), accepted=False, actor=by, reason=given["reason"]
    ),
}


def _written(due: Due) -> Filing:
    """Returns the filing of a duty whose state offers the verb."""
    if due.filing is None:
        raise AssertionError("only what was written is proposed, filed and answered")
    return due.filing


MAY_READ = (filings.WRITE, filings.APPROVE, filings.FILE, "winddown.read_audit")


def require_sight(actor: Actor) -> None:
    """Raises `NotPermitted` unless `actor` works on filings or reads the audit journal."""
    if not any(map(actor.has_perm, MAY_READ)):
        raise NotPermitted(actor=actor.pk, action="read filings", permission=filings.WRITE)


# --- the list -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """One duty of the list."""

    due: Due
    overdue: bool

    @property
    def state(self) -> str:
        return self.due.filing.state if self.due.filing else NONE

    @property
    def offers(self) -> tuple[str, ...]:
        return () if self.due.has_ended else _OFFERS[self.state]

    @property
    def clock(self) -> Text:
        return CLOCKS.get(self.due.clock, "–")

    @property
    def waits_for(self) -> Text:
        """Returns whose turn it is."""
        filing = self.due.filing
        if filing is not None and filing.state == Filing.State.PROPOSED:
            return format_lazy(
                _("{n} of 2 approvals; next: {roles}"),
                n=filings.approvers(filing),
                roles=role_words(roles.roles_with(filings.APPROVE)),
            )
        permission = next((_VERBS[verb][2] for verb in self.offers), "")
        return role_words(roles.roles_with(permission)) if permission else ""

    @property
    def url(self) -> str:
        return reverse("console:filing", args=[self.due.key])


def lines() -> list[Line]:
    """Returns every duty whose clock has started, the earliest first."""
    today = filing_duties.today()
    return [Line(due=each, overdue=each.is_overdue(today)) for each in filing_duties.due()]


# --- one filing ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """A section as it is read: a text, or measures."""

    title: Text
    text: str
    measures: list[Measure]


@dataclass(frozen=True, slots=True)
class Number:
    """A frozen figure with its name."""

    title: Text
    value: int
    is_amount: bool


@dataclass(frozen=True, slots=True)
class FilingPage:
    """Everything on the page."""

    line: Line
    version: FilingVersion | None
    numbers: list[int]
    parts: list[Part]
    figures: list[Number]
    signed: list[Signature]
    waiting: Approval | None
    receipt: FilingReceipt | None
    evidence: Facts | None
    may_read_evidence: bool
    decisions: list[Decision]

    @property
    def due(self) -> Due:
        return self.line.due

    def decision(self, verb: str) -> Decision | None:
        return next((each for each in self.decisions if each.verb == verb), None)


def look(due: Due, *, actor: Actor, number: int | None = None) -> FilingPage:
    """Returns the page as `actor` sees it, with version `number`, or the newest one."""
    line = Line(due=due, overdue=due.is_overdue(filing_duties.today()))
    versions = list(due.filing.versions.select_related("author")) if due.filing else []
    versions.sort(key=lambda each: -each.number)
    version = next((each for each in versions if number in (None, each.number)), None)
    subject = f"{filings.SUBJECT}:{version.filing_id}:{version.number}" if version else ""
    receipt = FilingReceipt.objects.filter(version=version).first() if version else None
    return FilingPage(
        line=line,
        version=version,
        numbers=[each.number for each in versions],
        parts=parts_of(version) if version else [],
        figures=figures_of(version) if version else [],
        signed=list(
            Signature.objects.filter(subject=subject)
            .exclude(part=Signature.Part.MAKER)
            .select_related("signer")
            .order_by("pk")
        ),
        waiting=_waiting(due.filing),
        receipt=receipt,
        evidence=(
            evidence_files.facts(receipt.evidence_id) if receipt and receipt.evidence_id else None
        ),
        may_read_evidence=actor.has_perm(evidence_files.READ),
        decisions=[_decision(verb, due, actor=actor) for verb in line.offers],
    )


def _waiting(filing: Filing | None) -> Approval | None:
    if filing is None or filing.state != Filing.State.PROPOSED:
        return None
    found = (approvals.standing(filing.subject, stage=stage) for stage in filings.STAGES)
    return next((each for each in found if each is not None), None)


def _decision(verb: str, due: Due, *, actor: Actor) -> Decision:
    title, tone, permission = _VERBS[verb]
    refused: Text = ""
    if not actor.has_perm(permission):
        refused = who_may(permission)
    elif verb == "propose" and filings.newest_of(_written(due)).author_id != actor.pk:
        refused = _("Only the author of the version proposes it.")
    return Decision(verb, title, tone, refused, permission)


def parts_of(version: FilingVersion) -> list[Part]:
    """Returns the sections of the version in the order of its kind."""
    return [
        Part(
            title=section.title,
            text="" if section.is_measures else version.sections[code],
            measures=(
                filing_kinds.measures_in(version.sections[code]) if section.is_measures else []
            ),
        )
        for code, section in KINDS[version.filing.kind].sections.items()
    ]


def figures_of(version: FilingVersion) -> list[Number]:
    """Returns the frozen figures of the version with their names."""
    return [
        Number(FIGURES[code].title, version.figures[code], FIGURES[code].is_amount)
        for code in KINDS[version.filing.kind].figures
        if code in version.figures
    ]


# --- what other pages show ----------------------------------------------------------------------


def _subject(subject: str) -> panels.SubjectPage:
    number, _sep, version = subject.partition(":")[2].partition(":")
    filing = Filing.objects.get(pk=number)
    key = f"{filing.kind}:{filing.authority}:{filing.clock_on:%Y-%m-%d}"
    return panels.SubjectPage(
        title=format_lazy("{}, {}", KINDS[filing.kind].title, version),
        url=reverse("console:filing", args=[key]),
    )


panels.SUBJECTS.add(filings.SUBJECT, _subject)
