"""What people do about money that did not arrive, as one declaration for commands and page."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from refunds.models import ArrivalQuestion, TraceCase
from refunds.payouts import arrivals, bank_search, recalls, traces
from refunds.payouts.payout_acts import PayoutForm
from winddown import clock
from winddown.actors import Actor
from winddown.site import acts
from winddown.site.acts import Act
from winddown.site.decisions import Decision
from winddown.site.forms import ReasonForm, RowField, SayingField
from winddown.words import Text

SHOWN_MAX = 200
OUTCOMES: dict[str, Text] = {
    TraceCase.Outcome.ARRIVED: _("The holder has the money"),
    TraceCase.Outcome.CAME_BACK: _("The money came back"),
    TraceCase.Outcome.NOT_RECOVERED: _("Somebody else keeps the money"),
}


class AnswerForm(PayoutForm):
    answer = forms.ChoiceField(
        label=_("Did it arrive?"),
        choices=[
            (ArrivalQuestion.Answer.YES, pgettext_lazy("arrival", "Yes")),
            (ArrivalQuestion.Answer.NO, pgettext_lazy("arrival", "No")),
        ],
    )


class TraceForm(ReasonForm):
    number = RowField(
        TraceCase,
        label=_("Number of the trace"),
        missing=_("There is no trace of this number."),
    )


class CloseForm(TraceForm):
    outcome = forms.ChoiceField(label=_("How it ended"), choices=list(OUTCOMES.items()))
    explanation = SayingField(
        label=_("What shows it"),
        max_length=500,
        help_text=_("Where the evidence stands. No name and no account number."),
    )


TRACES: dict[str, Act] = {
    "answer": Act(
        title=pgettext_lazy("verb", "Record an answer"),
        effect=_("Of somebody who was asked whether the money arrived. A no opens a trace."),
        permission=arrivals.PERMISSION,
        form=AnswerForm,
        do=lambda actor, given: arrivals.answer(
            given["number"],
            arrived=given["answer"] == ArrivalQuestion.Answer.YES,
            actor=actor,
            reason=given["reason"],
        ),
    ),
    "open": Act(
        title=pgettext_lazy("verb", "Trace a payout"),
        effect=_("It is on the list with a day by which it is due. No money moves."),
        permission=traces.OPENS,
        form=PayoutForm,
        do=lambda actor, given: traces.open_for(
            given["number"], actor=actor, reason=given["reason"]
        ),
    ),
    "take": Act(
        title=pgettext_lazy("verb", "Take over a trace"),
        effect=_("You see to it from now on."),
        permission=traces.PERMISSION,
        form=TraceForm,
        do=lambda actor, given: traces.take(given["number"], actor=actor, reason=given["reason"]),
    ),
    "close": Act(
        title=pgettext_lazy("verb", "Ask to close a trace"),
        effect=_("It stays open until a second person agrees to how it ended."),
        permission=traces.PERMISSION,
        form=CloseForm,
        do=lambda actor, given: traces.ask_close(
            given["number"],
            outcome=given["outcome"],
            explanation=given["explanation"],
            actor=actor,
            reason=given["reason"],
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One trace, with what the desk needs to ask the bank."""

    trace: TraceCase
    is_open: bool
    bank: str
    overdue: bool
    days: int
    outcome: Text | str


@dataclass(frozen=True, slots=True)
class TracesPage:
    """What the samples said, and the traces, those that are open first."""

    at: dt.datetime
    samples: list[arrivals.Counted]
    rows: list[Row]
    decisions: list[Decision]
    recalls: bool


def look(*, actor: Actor) -> TracesPage:
    """Returns the page as `actor` sees it."""
    at = clock.now()
    found = TraceCase.objects.select_related("payout__payee", "payout__batch", "owner")
    late = set(traces.overdue().values_list("pk", flat=True))
    rows = [
        Row(
            trace=each,
            is_open=each.state == TraceCase.State.OPEN,
            bank=_bank_of(each),
            overdue=each.pk in late,
            days=((each.closed_at or at) - each.opened_at).days,
            outcome=OUTCOMES.get(each.outcome, ""),
        )
        for each in found.order_by("-pk")[:SHOWN_MAX]
    ]
    return TracesPage(
        at=at,
        samples=arrivals.counted(most=SHOWN_MAX),
        rows=sorted(rows, key=lambda row: not row.is_open),
        decisions=[acts.decision(verb, act, actor=actor) for verb, act in TRACES.items()],
        recalls=actor.has_perm(recalls.PERMISSION),
    )


def _bank_of(trace: TraceCase) -> str:
    payee = trace.payout.payee
    if payee is None:
        return ""
    known = bank_search.bank(payee.bank_code)
    return f"{payee.bank_code} {known.name}" if known is not None else str(payee.bank_code)
