"""The page of the programme: where it stands, what holds, and what people can do with it now."""

from __future__ import annotations

from dataclasses import dataclass

from winddown import words
from winddown.actors import Actor
from winddown.authority.role_words import ROLE_WORDS
from winddown.models import Approval, Milestone, NoticePublication, Programme, PublicNotice
from winddown.programme import (
    evidence_files,
    gates,
    incident_withdrawal,
    jurisdictions,
    milestones,
    notice_watch,
    publications,
    stages,
)
from winddown.programme.gates import GATES, Count, Gate
from winddown.programme.jurisdictions import Pack
from winddown.programme.publications import Duty
from winddown.site import acts, incident_page, programme_acts
from winddown.site.decisions import Decision
from winddown.site.incident_page import Waiting
from winddown.site.panels import Panel, page_panels
from winddown.words import Text

# The states in which what is still open holds the end of the programme back.
ENDING = (Programme.State.SETTLING, Programme.State.COMPLETED)


@dataclass(frozen=True, slots=True)
class MilestoneRow:
    """A milestone with the numbers of its gate now, and what before it is open."""

    milestone: Milestone
    owner_role: Text
    gate: Gate | None
    counts: list[Count]
    needs: list[Text]
    open_before: list[Text]

    @property
    def state(self) -> str:
        if not self.milestone.is_open:
            return "reached"
        return "held_back" if gates.failing(self.counts) or self.open_before else "open"


@dataclass(frozen=True, slots=True)
class ProgrammePage:
    """What the page shows."""

    programme: Programme
    pack: Pack
    notice: PublicNotice | None
    duties: list[Duty]
    publications: list[NoticePublication]
    may_read_evidence: bool
    meter: notice_watch.Meter | None
    milestones: list[MilestoneRow]
    decisions: list[Decision]
    waiting: list[Waiting]
    still_open: list[object]
    panels: list[Panel]

    def decision(self, verb: str) -> Decision | None:
        return next((each for each in self.decisions if each.verb == verb), None)


def look(programme: Programme, *, actor: Actor) -> ProgrammePage:
    """Returns the page as `actor` sees it."""
    notice, pack = publications.newest_notice(), jurisdictions.pack(programme.jurisdiction)
    return ProgrammePage(
        programme=programme,
        pack=pack,
        notice=notice,
        duties=publications.duties(notice, pack) if notice else [],
        publications=list(publications.standing(notice).select_related("evidence")),
        meter=notice_watch.meter(),
        may_read_evidence=actor.has_perm(evidence_files.READ),
        milestones=[
            _row(each) for each in Milestone.objects.select_related("owner").order_by("at")
        ],
        decisions=[
            acts.decision(verb, act, actor=actor)
            for verb, act in programme_acts.PROGRAMME.items()
            if not act.states or programme.state in act.states
        ],
        waiting=incident_page.waiting(_requests(), actor=actor),
        still_open=stages.open_things() if programme.state in ENDING else [],
        panels=page_panels("programme", reader=actor),
    )


def _requests() -> list[Approval]:
    """Returns the requests about the programme's stage that wait for a second person."""
    found = (incident_withdrawal.waiting(), stages.waiting_announcement())
    return [each for each in found if each is not None]


def _row(milestone: Milestone) -> MilestoneRow:
    counted = milestone.reached_at is None
    return MilestoneRow(
        milestone=milestone,
        owner_role=ROLE_WORDS.get(milestone.owner_role, ""),
        gate=GATES.get(milestone.gate),
        counts=gates.measured(milestone.gate) if counted else [],
        needs=[words.milestone_title(kind) for kind in milestone.needs],
        open_before=milestones.open_before(milestone) if counted else [],
    )
