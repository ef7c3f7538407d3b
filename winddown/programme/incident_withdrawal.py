"""An incident that was declared by mistake is withdrawn by two people, while nothing rests on it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from django.db import transaction
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from winddown import locks, words
from winddown.actors import Actor, require
from winddown.authority import approvals
from winddown.authority.approvals import SignedList
from winddown.errors import GuardNotMet, says
from winddown.evidence import audit
from winddown.locks import Lock
from winddown.machines.move import edge_from, transition_one
from winddown.models import (
    Approval,
    AuditEntry,
    Capability,
    CapabilityTransition,
    Filing,
    FilingReceipt,
    Programme,
    ProgrammeTransition,
    Run,
)
from winddown.programme import filing_duties, filings, gates
from winddown.programme.filing_duties import Due
from winddown.registries import Registry

SUBJECT = "incident_withdrawal"
STAGE = "withdraw"
WITHDRAW = "winddown.withdraw_incident"
VERB = "withdraw_incident"

RESTS_ON_INCIDENT: Registry[Callable[[dt.datetime], Sequence[object]]] = Registry(
    "what rests on an incident",
    entries_are="returns one sentence for each thing since the declaration that needs the incident",
    owner=__name__,
)


def ask(*, actor: Actor, reason: str) -> Approval:
    """The withdrawal of the incident waits for a second person. The clocks of the reports run on.

    Raises `TransitionRefused` where no incident is declared, `GuardNotMet` while anything rests on
    it, and `AskedAlready` for a form that was sent twice.
    """
    require(actor, WITHDRAW, action="withdraw the incident")
    with transaction.atomic():
        locks.take(Lock.FILINGS)
        edge_from(Programme.current(), VERB)
        _refuse_what_rests()
        subject = approvals.next_subject(f"{SUBJECT}:{_declaration().pk}")
        approvals.refuse_repeated(
            subject, stage=STAGE, content=_withdrawn(), maker=actor, reason=reason
        )
        asked = _signed(subject).ask(maker=actor, reason=reason)
        audit.append("programme.ask_withdrawal", asked.subject, actor=actor, reason=reason)
        return asked


def waiting() -> Approval | None:
    """Returns the request to withdraw the incident that waits for a second person."""
    of_kind = (each for each in approvals.open_requests() if each.subject.startswith(f"{SUBJECT}:"))
    return next(of_kind, None)


def decide(subject: str, *, actor: Actor, digest: str, reason: str, approve: bool = True) -> None:
    """The service is in operation as if no incident had been declared: the reporting clocks are as
    they were before, and drafts of reports that are no longer due have ended. They stay readable,
    and so does what was filed. Or the request is rejected, and nothing has changed.

    Raises what `SignedList.decide` raises, `TransitionRefused` where no incident is declared any
    more, and `GuardNotMet` while anything rests on it.
    """
    with transaction.atomic():
        locks.take(Lock.FILINGS)
        if approve:
            edge_from(Programme.current(), VERB)
            _refuse_what_rests()
        _signed(subject).decide(actor=actor, digest=digest, reason=reason, approve=approve)
        if not approve:
            audit.append("programme.keep_incident", subject, actor=actor, reason=reason)
            return
        back_to, ending = _earlier(), _ending()
        done = transition_one(
            Programme.current(), VERB, actor=actor, reason=reason, aware_at=back_to
        )
        for filing in _drafts(ending):
            filings.withdraw(filing, actor=actor, reason=reason)
        audit.append(
            f"programme.{VERB}",
            "programme",
            actor=actor,
            reason=reason,
            state=done.state,
            duties=[each.key for each in ending],
        )


# --- what is signed -------------------------------------------------------------------------------


def _signed(subject: str) -> SignedList:
    return SignedList(subject=subject, stage=STAGE, permission=WITHDRAW, content=_withdrawn)


def _withdrawn() -> dict[str, Any]:
    """Returns which declaration is withdrawn, which instant holds then, and what ends with it."""
    ending = _ending()
    return {
        "declared": _declaration().pk,
        "aware_at": Programme.current().aware_at,
        "back_to": _earlier(),
        "duties": [each.key for each in ending],
        "drafts": [each.subject for each in _drafts(ending)],
    }


def _declaration() -> ProgrammeTransition:
    return ProgrammeTransition.objects.filter(transition="declare_incident").latest("pk")


def _earlier() -> dt.datetime | None:
    """Returns since when the operator was aware of an earlier incident, whose clocks run again."""
    entry = AuditEntry.objects.filter(action="programme.declare_incident").order_by("-seq").first()
    said = entry.facts.get("earlier") if entry else None
    return dt.datetime.fromisoformat(said) if said else None


def _ending() -> list[Due]:
    """Returns the duties that end with the incident."""
    programme = Programme.current()
    programme.aware_at = _earlier()
    return filing_duties.ending_in(programme)


def _drafts(ending: list[Due]) -> list[Filing]:
    """Returns what was written of these duties and never left the house."""
    return [
        each.filing
        for each in ending
        if each.filing and each.filing.state in Filing.UNFILED and not _was_filed(each.filing)
    ]


def _was_filed(filing: Filing) -> bool:
    return FilingReceipt.objects.filter(version__filing=filing).exists()


# --- what rests on it -----------------------------------------------------------------------------


def resting() -> list[object]:
    """Returns one sentence for each thing that rests on the incident."""
    since = _declaration().at
    return [sentence for find in RESTS_ON_INCIDENT.values() for sentence in find(since)]


def _refuse_what_rests() -> None:
    if found := resting():
        raise GuardNotMet(action=says("withdraw the incident"), why=gates.said(found))


@RESTS_ON_INCIDENT.entry("filings", place=-1)
def _filed(since: dt.datetime) -> list[object]:
    return [
        format_lazy(
            _(
                "{authority} has the {report}: file a final report which says that it was a false"
                " alarm, and end the incident instead"
            ),
            authority=each.addressee,
            report=each.title,
        )
        for each in _ending()
        if each.clock == "aware" and each.filing and _was_filed(each.filing)
    ]


@RESTS_ON_INCIDENT.entry("switches")
def _stopped(since: dt.datetime) -> list[object]:
    """What was stopped before the declaration was stopped without it."""
    stops = CapabilityTransition.objects.filter(
        at__gte=since, source=Capability.State.ENABLED
    ).values("subject_id")
    off = Capability.objects.exclude(state=Capability.State.ENABLED).filter(pk__in=stops)
    return [
        format_lazy(
            _("{switch} was stopped since: restart it first"),
            switch=words.capability_title(each.code),
        )
        for each in off.order_by("code")
    ]


@RESTS_ON_INCIDENT.entry("runs")
def _acted(since: dt.datetime) -> list[object]:
    runs = Run.objects.filter(state__in=Run.STARTED, started_at__gte=since).order_by("pk")
    return [
        format_lazy(
            _("run {number} ({workflow}) acted since: end the incident instead"),
            number=each.pk,
            workflow=words.workflow_title(each.workflow),
        )
        for each in runs
    ]


# --- the second person ----------------------------------------------------------------------------


def _decided(said: approvals.Decided) -> None:
    decide(
        f"{SUBJECT}:{said.key}",
        actor=said.actor,
        digest=said.digest,
        reason=said.reason,
        approve=said.approve,
    )


approvals.DECIDERS.add(SUBJECT, _decided)


@approvals.STILL_WAITING.entry(SUBJECT)
def _still_waiting(requests: list[Approval]) -> list[Approval]:
    """A request waits while its declaration holds."""
    sources = [edge.source for edge in Programme.edges() if edge.name == VERB]
    if not Programme.objects.filter(state__in=sources).exists():
        return []
    declared = _declaration().pk
    return [each for each in requests if each.summary["declared"] == declared]
