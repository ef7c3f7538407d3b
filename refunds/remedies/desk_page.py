"""The page of the issuer desk: the requests with the time that is left, and chargebacks."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import F
from django.db.models.functions import Least
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from refunds.models import Chargeback, Issuer, IssuerAction, IssuerFile, QuarantinedLine
from refunds.remedies import quarantine
from refunds.remedies.desk_acts import DESK
from winddown import clock
from winddown.actors import Actor
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
class DeskPage:
    """The requests as the filters choose them, the next deadline first."""

    at: dt.datetime
    form: QueueForm
    rows: list[Row]
    total: int
    quarantined: list[Quarantined]
    doubtful: int
    chargebacks: list[Chargeback]
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
        chargebacks=list(
            Chargeback.objects.exclude(state=Chargeback.State.CLOSED)
            .select_related("issuer")
            .order_by("due_at", "pk")[:PAGE_ROWS]
        ),
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


def _hours(due: dt.datetime | None, *, at: dt.datetime) -> int | None:
    return None if due is None else int((due - at) // dt.timedelta(hours=1))
