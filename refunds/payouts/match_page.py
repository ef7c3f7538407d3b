"""The page on which movements are matched with payouts, until nothing is missing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from refunds.models import Payout, ReconciliationBreak
from refunds.payouts import matching
from refunds.payouts.matching import Match
from refunds.payouts.payout_acts import BREAKS
from winddown import clock
from winddown.actors import Actor
from winddown.errors import WinddownError
from winddown.site import acts
from winddown.site.decisions import Decision
from winddown.site.pages import told

NUMBERS_MAX = 200


@dataclass(frozen=True, slots=True)
class MatchPage:
    """What is chosen, what is missing, and what else may be chosen. `refused` says why the choice is
    not possible.
    """

    at: dt.datetime
    match: Match
    open_breaks: list[ReconciliationBreak]
    fitting: list[Payout]
    refused: str
    decisions: list[Decision]

    @property
    def query(self) -> str:
        """Fills the form of the verb in."""
        return f"?breaks={self.breaks}&payouts={self.payouts}"

    @property
    def breaks(self) -> str:
        return ",".join(str(each.pk) for each in self.match.breaks)

    @property
    def payouts(self) -> str:
        return ",".join(str(each.pk) for each in self.match.payouts)

    @property
    def over_minor(self) -> int:
        """By how much the payouts are above the movements."""
        return max(-self.match.missing_minor, 0)


def look(query: Mapping[str, str], *, actor: Actor) -> MatchPage:
    """Returns the page as `actor` sees it."""
    match, refused = Match((), ()), ""
    try:
        match = matching.chosen(_numbers(query, "breaks"), _numbers(query, "payouts"))
    except WinddownError as why:
        refused = told(why)
    whole = match.breaks and match.payouts and not match.missing_minor
    verbs = {"match": BREAKS["match"]} if whole else {}
    return MatchPage(
        at=clock.now(),
        match=match,
        open_breaks=list(
            ReconciliationBreak.objects.filter(
                state=ReconciliationBreak.State.OPEN, kind__in=matching.MATCHABLE
            )
            .exclude(pk__in=[each.pk for each in match.breaks])
            .order_by("pk")[:NUMBERS_MAX]
        ),
        fitting=matching.fitting(match),
        refused=refused,
        decisions=[acts.decision(verb, act, actor=actor) for verb, act in verbs.items()],
    )


def _numbers(query: Mapping[str, str], name: str) -> list[int]:
    given = query.get(name, "").split(",")[:NUMBERS_MAX]
    return [int(each) for each in given if each.isascii() and each.isdigit() and len(each) < 16]
