"""The page of the bank days: the newest tie with its differences, and the ties before it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from refunds.models import BankDayDifference, BankDayTie
from refunds.payouts import bank_days
from winddown import clock
from winddown.actors import Actor
from winddown.site import acts
from winddown.site.acts import Act
from winddown.site.decisions import Decision
from winddown.words import Text

SHOWN_MAX = 60
_Kind = BankDayDifference.Kind

KINDS: dict[str, Text] = {
    _Kind.NOT_ANSWERED: _("Left our account, and the bank has not said what arrived"),
    _Kind.RETURN_UNDER_WAY: _("Returned by the bank, and not on our account again yet"),
    _Kind.NOT_STATED_YET: _("Arrived, and the statement of its day is not here yet"),
    _Kind.EXPLAINED: _("Other movements, explained by two people"),
    _Kind.NOT_STATED: _(
        "Arrived by the bank's answer, and the statement of its day does not show it"
    ),
    _Kind.LINE_OPEN: _("A movement that nobody has cleared"),
    _Kind.CONTRADICTS: _("The statements contradict the bank's answers"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One difference."""

    difference: BankDayDifference

    @property
    def kind(self) -> Text:
        return KINDS[self.difference.kind]

    @property
    def is_wrong(self) -> bool:
        return self.difference.kind in BankDayDifference.WRONG


@dataclass(frozen=True, slots=True)
class BankDaysPage:
    """The newest tie with its differences, those to look at first, and the earlier ties."""

    at: dt.datetime
    newest: BankDayTie | None
    rows: list[Row]
    ties: Sequence[BankDayTie]
    without_statement: int
    decisions: list[Decision]


def look(*, actor: Actor) -> BankDaysPage:
    """Returns the page as `actor` sees it."""
    ties = list(BankDayTie.objects.order_by("-pk")[:SHOWN_MAX])
    rows = [Row(each) for each in ties[0].differences.order_by("pk")] if ties else []
    return BankDaysPage(
        at=clock.now(),
        newest=ties[0] if ties else None,
        rows=sorted(rows, key=lambda row: not row.is_wrong),
        ties=ties,
        without_statement=bank_days.days_without_statement(),
        decisions=[acts.decision(verb, act, actor=actor) for verb, act in BANK_DAYS.items()],
    )


BANK_DAYS: dict[str, Act] = {
    "tie": Act(
        title=pgettext_lazy("verb", "Tie the bank day now"),
        effect=_(
            "Ledger, statements and customers' pages are compared as they stand now, and the"
            " result is stored."
        ),
        permission=bank_days.PERMISSION,
        do=lambda actor, given: bank_days.tie(actor=actor, reason=given["reason"]),
        tone="main",
    ),
}
