"""A switch's own page: its state, its open requests, its probes and its timeline."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import ngettext_lazy

from winddown import words
from winddown.actors import Actor
from winddown.authority import approvals
from winddown.models import Approval, AuditEntry, Capability, Milestone, Probe, Signature
from winddown.programme import capabilities, offer
from winddown.site import decisions, incident_page, money_table
from winddown.site.decisions import Decision
from winddown.words import Text

TIMELINE_MAX = 50
IMPACT_OF = dt.timedelta(hours=1)
PROBES_MAX = 5


@dataclass(frozen=True, slots=True)
class SwitchPage:
    """Everything on the page."""

    now: incident_page.Now
    standing: offer.Standing
    title: Text
    effect: Text
    leaks: int | None
    leaks_at: Any
    waiting: list[Approval]
    decisions: list[Decision]
    probes: list[Probe]
    timeline: list[AuditEntry]

    @property
    def switch(self) -> Capability:
        return self.standing.switch

    def decision(self, verb: str) -> Decision | None:
        return next((each for each in self.decisions if each.verb == verb), None)


def stoppable(*, actor: Actor) -> tuple[list[tuple[str, Text]], Decision]:
    """Returns the switches that are on, each with its uses of the last hour, and the decision to stop
    some of them.
    """
    moment = incident_page.now()
    standings = offer.standings(at=moment.at, deadlines=list(Milestone.objects.all()))
    choices = [
        (each.switch.code, _with_uses(each.switch.code, at=moment.at))
        for each in standings
        if each.on
    ]
    probe = Capability(state=Capability.State.ENABLED)
    (decision,) = decisions.for_switch(probe, actor=actor, waiting=[], signed=[])
    return choices, decision


def _with_uses(code: str, *, at: dt.datetime) -> Text:
    uses = capabilities.passed_since(code, at - IMPACT_OF)
    if uses is None:
        return words.capability_title(code)
    said = ngettext_lazy("%(n)s use in the last hour", "%(n)s uses in the last hour", uses)
    return format_lazy(
        "{title} ({said})", title=words.capability_title(code), said=said % {"n": uses}
    )


def look(code: str, *, actor: Actor) -> SwitchPage | None:
    """Returns the page as `actor` sees it; None when there is no such switch."""
    moment = incident_page.now()
    standing = next(
        (
            each
            for each in offer.standings(at=moment.at, deadlines=list(Milestone.objects.all()))
            if each.switch.code == code
        ),
        None,
    )
    if standing is None:
        return None
    subject = f"capability:{code}:{standing.switch.version}"
    waiting = [
        approval
        for stage, of in (("ratify", subject), ("restore", f"{subject}:restore"))
        if (approval := approvals.standing(of, stage=stage)) is not None
    ]
    counted = money_table.figures()
    return SwitchPage(
        now=moment,
        standing=standing,
        title=words.capability_title(code),
        effect=words.capability_effect(code),
        leaks=counted.leaks.get(code) if counted else None,
        leaks_at=counted.at if counted else None,
        waiting=waiting,
        decisions=decisions.for_switch(
            standing.switch,
            actor=actor,
            waiting=waiting,
            signed=Signature.objects.filter(subject__in=[each.subject for each in waiting]),
        ),
        probes=list(Probe.objects.filter(capability=standing.switch).order_by("-pk")[:PROBES_MAX]),
        timeline=list(
            AuditEntry.objects.filter(subject=f"capability:{code}")
            .select_related("actor")
            .order_by("-seq")[:TIMELINE_MAX]
        ),
    )
