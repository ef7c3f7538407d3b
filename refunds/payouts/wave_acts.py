"""What people do with payout waves, as one declaration for commands and page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django import forms
from django.db.models import Count, Q, Sum
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from refunds.models import Entitlement, PayoutWave
from refunds.payouts import payout_batches, waves
from winddown import clock
from winddown.actors import Actor
from winddown.authority import approvals
from winddown.models import Approval
from winddown.site import acts
from winddown.site.acts import Act
from winddown.site.decisions import Decision
from winddown.site.fields import DayField, planned
from winddown.site.forms import ReasonForm, RowField

SHOWN_MAX = 200


class PlanForm(ReasonForm):
    record_on = DayField(
        label=_("Record date"),
        help_text=_("Who has applied by the end of this day is taken."),
        between=planned,
    )
    cut_off_on = DayField(
        label=_("Cut-off"),
        help_text=_("Nothing may be missing at the end of this day."),
        between=planned,
    )
    pay_on = DayField(
        label=_("Day of payment"),
        help_text=_("The value date: a bank day."),
        between=planned,
    )
    payees_close_days = forms.IntegerField(
        label=_("Days in which accounts are closed"),
        min_value=0,
        max_value=30,
        help_text=_("So many days before the payment, its accounts cannot be changed any more."),
    )


class WithdrawForm(ReasonForm):
    number = RowField(
        PayoutWave,
        label=_("Number of the payout wave"),
        missing=_("There is no payout wave of this number."),
    )


WAVES: dict[str, Act] = {
    "plan": Act(
        title=pgettext_lazy("verb", "Ask for a payout wave"),
        effect=_(
            "When a second person agrees, money goes out on the days of waves only, and each"
            " customer sees which wave pays him."
        ),
        permission=waves.ASKS,
        form=PlanForm,
        do=lambda actor, given: waves.ask(
            record_on=given["record_on"],
            cut_off_on=given["cut_off_on"],
            pay_on=given["pay_on"],
            payees_close_days=given["payees_close_days"],
            actor=actor,
            reason=given["reason"],
        ),
    ),
    "withdraw": Act(
        title=pgettext_lazy("verb", "Ask to withdraw a payout wave"),
        effect=_("When a second person agrees, its people are paid by the next wave."),
        permission=waves.ASKS,
        form=WithdrawForm,
        do=lambda actor, given: waves.ask_withdrawal(
            given["number"], actor=actor, reason=given["reason"]
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One wave, how it stands, and how many approved refunds it takes so far, with their sum."""

    wave: PayoutWave
    state: str
    taken: int
    taken_minor: int
    waiting: Approval | None


@dataclass(frozen=True, slots=True)
class WavesPage:
    """The waves, the last one first, and the requests for new ones."""

    at: dt.datetime
    rows: list[Row]
    asked: list[Approval]
    decisions: list[Decision]


def look(*, actor: Actor) -> WavesPage:
    """Returns the page as `actor` sees it."""
    requests = [
        each for each in approvals.open_requests() if each.subject.startswith("payout_wave:")
    ]
    found = PayoutWave.objects.order_by("-pay_on", "-pk")[:SHOWN_MAX]
    return WavesPage(
        at=clock.now(),
        rows=[_row(each, requests) for each in found],
        asked=[each for each in requests if each.stage == waves.PLAN],
        decisions=[acts.decision(verb, act, actor=actor) for verb, act in WAVES.items()],
    )


def _row(wave: PayoutWave, requests: Sequence[Approval]) -> Row:
    taken = _taken(wave)
    return Row(
        wave=wave,
        state=_state(wave),
        taken=taken["n"],
        taken_minor=taken["total"] or 0,
        waiting=next(
            (each for each in requests if each.subject.startswith(f"{wave.subject}:")), None
        ),
    )


def _taken(wave: PayoutWave) -> dict[str, int]:
    """Returns how many approved refunds the wave takes, and their sum."""
    applied_before, cut_off = waves.bounds(wave)
    in_time = Q(
        applications__live=True,
        applications__submitted_at__lt=applied_before,
        applications__decided_at__lt=cut_off,
    )
    return Entitlement.objects.filter(in_time, state__in=Entitlement.PAYABLE).aggregate(
        n=Count("pk"), total=Sum("amount_minor")
    )


def _state(wave: PayoutWave) -> str:
    if wave.withdrawal_id is not None:
        return "withdrawn"
    today = payout_batches.today()
    if today > wave.pay_on:
        return "over"
    return "closed" if today >= wave.payees_close_on else "planned"
