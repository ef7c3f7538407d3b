"""The page of unusual applications: the rules, what they found, and what waits."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Count

from refunds.applications import unusual
from refunds.applications.unusual_acts import MODES, RULE_WORDS, UNUSUAL
from refunds.models import RefundApplication, UnusualHit
from refunds.payouts import unusual_rules
from refunds.payouts.unusual_rules import InForce
from winddown import clock
from winddown.actors import Actor
from winddown.authority import approvals
from winddown.authority.role_words import ROLE_WORDS
from winddown.models import Approval
from winddown.site import acts
from winddown.site.decisions import Decision
from winddown.words import Text

SHOWN_MAX = 100


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule as it holds now, and how many hits of it nobody has cleared."""

    in_force: InForce
    open: int

    @property
    def title(self) -> Text:
        return RULE_WORDS[self.in_force.rule.code]

    @property
    def mode(self) -> Text:
        return MODES[self.in_force.mode]

    @property
    def owner(self) -> Text:
        return ROLE_WORDS[self.in_force.rule.owner]

    @property
    def query(self) -> str:
        """Fills the form of its change in."""
        said = self.in_force
        filled = {"code": said.rule.code, "mode": said.mode, "least": said.least}
        return f"?{urlencode({**filled, 'hours': said.hours})}"


@dataclass(frozen=True, slots=True)
class Row:
    """One application, and why it is unusual."""

    application: RefundApplication
    hits: list[UnusualHit]
    held: bool
    waiting: Approval | None

    @property
    def reasons(self) -> list[tuple[Text, int]]:
        return [(RULE_WORDS[hit.rule], hit.size) for hit in self.hits]


@dataclass(frozen=True, slots=True)
class UnusualPage:
    """Everything on the page, the oldest application first."""

    at: dt.datetime
    rules: list[RuleRow]
    rows: list[Row]
    total: int
    held: int
    decisions: list[Decision]


def look(*, actor: Actor) -> UnusualPage:
    """Returns the page as `actor` sees it."""
    in_force, enforced = unusual_rules.in_force(), set(unusual_rules.enforced())
    open_hits = UnusualHit.objects.filter(cleared_at=None, application__live=True)
    counted = dict(open_hits.values_list("rule").annotate(n=Count("pk")))
    found = unusual.standing()
    shown = found.select_related("entitlement").order_by("submitted_at", "pk")[:SHOWN_MAX]
    hits: dict[int, list[UnusualHit]] = {}
    for hit in open_hits.filter(application__in=[each.pk for each in shown]).order_by("rule"):
        hits.setdefault(hit.application_id, []).append(hit)
    waiting = {
        int(each.subject.split(":")[1]): each
        for each in approvals.open_requests()
        if each.subject.startswith("unusual:")
    }
    return UnusualPage(
        at=clock.now(),
        rules=[RuleRow(each, counted.get(each.rule.code, 0)) for each in in_force],
        rows=[
            Row(
                each,
                hits.get(each.pk, []),
                any(hit.rule in enforced for hit in hits.get(each.pk, [])),
                waiting.get(each.pk),
            )
            for each in shown
        ],
        total=found.count(),
        held=unusual.held().count(),
        decisions=[acts.decision(verb, act, actor=actor) for verb, act in UNUSUAL.items()],
    )
