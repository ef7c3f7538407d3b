"""What people do with recalls, as one declaration for commands and page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from refunds.models import Recall
from refunds.payouts import recalls
from refunds.payouts.payout_acts import PayoutForm
from winddown import clock
from winddown.actors import Actor
from winddown.site import acts
from winddown.site.acts import Act
from winddown.site.decisions import Decision
from winddown.site.forms import ReasonForm, RowField, SayingField
from winddown.words import Text

SHOWN_MAX = 200


class AnswerForm(ReasonForm):
    number = RowField(
        Recall,
        label=_("Number of the recall"),
        missing=_("There is no recall of this number."),
    )
    answer = SayingField(
        label=_("Answer of the bank"),
        max_length=200,
        help_text=_("What the bank said, and where it stands. No name and no account number."),
    )


def _answered(title: Text, effect: Text, verb: Callable[..., Recall]) -> Act:
    def do(actor: Actor, given: dict[str, Any]) -> Recall:
        return verb(given["number"], answer=given["answer"], actor=actor, reason=given["reason"])

    return Act(title=title, effect=effect, permission=recalls.PERMISSION, form=AnswerForm, do=do)


RECALLS: dict[str, Act] = {
    "ask": Act(
        title=pgettext_lazy("verb", "Recall a transfer"),
        effect=_(
            "It is on the list: tell the bank. No money moves before the bank's file says so."
        ),
        permission=recalls.PERMISSION,
        form=PayoutForm,
        do=lambda actor, given: recalls.ask(given["number"], actor=actor, reason=given["reason"]),
    ),
    "take-up": _answered(
        pgettext_lazy("verb", "Record that the bank asks"),
        _("The payee's bank was asked. The payee may refuse."),
        recalls.take_up,
    ),
    "done": _answered(
        pgettext_lazy("verb", "Record that it is done"),
        _("The money came back, as a loaded file of the bank shows."),
        recalls.finish,
    ),
    "failed": _answered(
        pgettext_lazy("verb", "Record that it failed"),
        _("The payee keeps the money. Nothing is restored."),
        recalls.fail,
    ),
}


@dataclass(frozen=True, slots=True)
class RecallsPage:
    """The recalls, those that are open first."""

    at: dt.datetime
    rows: list[Recall]
    decisions: list[Decision]


def look(*, actor: Actor) -> RecallsPage:
    """Returns the page as `actor` sees it."""
    found = Recall.objects.select_related("payout", "asked_by").order_by("-pk")[:SHOWN_MAX]
    return RecallsPage(
        at=clock.now(),
        rows=sorted(found, key=lambda each: each.state not in Recall.OPEN),
        decisions=[acts.decision(verb, act, actor=actor) for verb, act in RECALLS.items()],
    )
