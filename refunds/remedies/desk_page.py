"""The page of the issuer desk: the requests with the time that is left, and chargebacks."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import F, Q
from django.db.models.functions import Least
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from refunds.models import (
    Chargeback,
    Doubt,
    Issuer,
    IssuerAction,
    IssuerFile,
    QuarantinedLine,
    SchemeClock,
)
from refunds.remedies import chargebacks, doubts, quarantine, scheme_clocks
from refunds.remedies.desk_acts import DESK, SCHEMES
from winddown import clock
from winddown.actors import Actor
from winddown.models import Programme
from winddown.site import acts
from winddown.site.decisions import Decision
from winddown.words import Text

PAGE_ROWS = 50
FILES_SHOWN = 10
QUEUES: dict[str, tuple[Text, tuple[str, ...]]] = {
    "unsent": (_("To be sent"), IssuerAction.UNSENT),
    "awaited": (_("Answer awaited"), IssuerAction.ANSWERABLE),
    "late": (_("Overdue"), IssuerAction.LATE),
    "more": (_("The issuer needs more"), (IssuerAction.State.NEED_INFO,)),
    "done": (_("To be found on a statement"), IssuerAction.DONE),
}
KINDS: dict[str, Text] = {
    IssuerAction.Kind.REVERSAL: _("Reverse the charge"),
    IssuerAction.Kind.STOP_DEBIT: _("Stop the debit"),
    IssuerAction.Kind.REFUND: _("Refund the card"),
    IssuerAction.Kind.DEBIT_REIMBURSEMENT: _("Reimburse the debit"),
}

DOUBTS: dict[str, Text] = {
    Doubt.Kind.CONTRADICTED: _("The issuer took its word back"),
    Doubt.Kind.LATE: _("The answer came too late"),
    Doubt.Kind.PAID_TWICE: _("Paid twice"),
}


STAGES: dict[str, Text] = {
    SchemeClock.Stage.FILING: _("The issuer may file it"),
    SchemeClock.Stage.ANSWER: _("We answer it"),
    SchemeClock.Stage.PREARB: _("We answer before arbitration"),
    SchemeClock.Stage.COLLABORATION: _("Collaboration"),
}


class QueueForm(forms.Form):
    queue = forms.ChoiceField(
        label=_("Queue"), choices=[(code, name) for code, (name, _states) in QUEUES.items()]
    )
    issuer = forms.ModelChoiceField(
        queryset=Issuer.objects.order_by("code"),
        to_field_name="code",
        label=_("Card issuer"),
        required=False,
        empty_label=_("All"),
    )


@dataclass(frozen=True, slots=True)
class Row:
    """One request with what it asks for and the hours that are left; below zero it is late."""

    action: IssuerAction
    kind: Text
    due_at: dt.datetime | None
    hours_left: int | None


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One line in quarantine as it came, why it is there, and for how many days."""

    line: QuarantinedLine
    why: Text
    text: str
    days: int


@dataclass(frozen=True, slots=True)
class Case:
    """One chargeback with the hours that are left, and what stands behind it. `late` says that the
    issuer filed it after the scheme's time; `by_two` that two people have to settle it.
    """

    chargeback: Chargeback
    hours_left: int | None
    behind: Text
    late: bool
    by_two: bool


@dataclass(frozen=True, slots=True)
class ClockLine:
    """One clock of a scheme, in words."""

    scheme: Text
    stage: Text
    clock: SchemeClock


@dataclass(frozen=True, slots=True)
class DoubtRow:
    """One doubt, what it is about, and the hours since it was opened."""

    doubt: Doubt
    kind: Text
    hours: int


@dataclass(frozen=True, slots=True)
class DeskPage:
    """The requests as the filters choose them, the next deadline first."""

    at: dt.datetime
    form: QueueForm
    rows: list[Row]
    total: int
    quarantined: list[Quarantined]
    doubtful: int
    cases: list[Case]
    clocks: list[ClockLine]
    doubts: list[DoubtRow]
    files: list[IssuerFile]
    decisions: list[Decision]


def queue(given: QueryDict, *, actor: Actor) -> DeskPage:
    """Returns the page as `actor` sees it. Filters that are not understood count as absent."""
    form = QueueForm(given if given.get("queue") else {**given.dict(), "queue": "unsent"})
    chosen: dict[str, Any] = form.cleaned_data if form.is_valid() else {"queue": "unsent"}
    found = IssuerAction.objects.filter(state__in=QUEUES[chosen["queue"]][1])
    if chosen.get("issuer"):
        found = found.filter(issuer=chosen["issuer"])
    at = clock.now()
    rows = (
        found.select_related("issuer", "remedy__loss__claim")
        .annotate(due=Least("answer_due_at", "deadline_at"))
        .order_by(F("due").asc(nulls_last=True), "pk")[:PAGE_ROWS]
    )
    return DeskPage(
        at=at,
        form=form,
        rows=[Row(each, KINDS[each.kind], each.due, _hours(each.due, at=at)) for each in rows],
        total=found.count(),
        quarantined=_quarantined(at),
        doubtful=quarantine.waiting().count(),
        cases=_cases(at),
        clocks=_clocks(at),
        doubts=[
            DoubtRow(each, DOUBTS[each.kind], hours)
            for each, hours in doubts.ages(
                doubts.open_ones().select_related("owner", "answer", "remedy__loss__claim")[
                    :PAGE_ROWS
                ]
            )
        ],
        files=list(IssuerFile.objects.select_related("issuer").order_by("-pk")[:FILES_SHOWN]),
        decisions=[acts.decision(verb, act, actor=actor) for verb, act in DESK.items()],
    )


def _quarantined(at: dt.datetime) -> list[Quarantined]:
    return [
        Quarantined(
            each, quarantine.WHY[each.why], quarantine.text_of(each), (at - each.found_at).days
        )
        for each in quarantine.waiting()[:PAGE_ROWS]
    ]


def _cases(at: dt.datetime) -> list[Case]:
    """Returns the open chargebacks, those that we still answer first, the next deadline first."""
    found = (
        chargebacks.open_cases()
        .annotate(ours=Q(state__in=Chargeback.ANSWERABLE))
        .order_by("-ours", "due_at", "pk")[:PAGE_ROWS]
    )
    zone = Programme.current().zone
    filing: dict[str, SchemeClock | None] = {}
    cases = []
    for case in found:
        told = case.notified_at.astimezone(zone).date()
        if case.scheme not in filing:
            filing[case.scheme] = scheme_clocks.of(case.scheme, SchemeClock.Stage.FILING, on=told)
        clock_of = filing[case.scheme]
        charged = case.top_up.occurred_at.astimezone(zone).date() if case.top_up else told
        cases.append(
            Case(
                chargeback=case,
                hours_left=(
                    _hours(case.due_at, at=at) if case.state in Chargeback.ANSWERABLE else None
                ),
                behind=_behind(case),
                late=clock_of is not None and (told - charged).days > clock_of.days,
                by_two=chargebacks.needs_two(case),
            )
        )
    return cases


def _behind(case: Chargeback) -> Text:
    """Returns what the chargeback stands for."""
    if case.top_up_id is None:
        return _("No charge is matched")
    if case.credited_by_id is not None:
        return _("Made good already")
    if case.remedy_id is not None:
        return _("It stands for the loss")
    return _("No confirmed loss")


def _clocks(at: dt.datetime) -> list[ClockLine]:
    today = at.astimezone(Programme.current().zone).date()
    names: dict[str, Text] = dict(SCHEMES)
    return [
        ClockLine(names.get(each.scheme, each.scheme), STAGES[each.stage], each)
        for each in scheme_clocks.in_force(today)
    ]


def _hours(due: dt.datetime | None, *, at: dt.datetime) -> int | None:
    return None if due is None else int((due - at) // dt.timedelta(hours=1))
