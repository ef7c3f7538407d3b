"""The page of the programme: where it stands, what holds, and what people can do with it now."""

from __future__ import annotations

from dataclasses import dataclass

from winddown.actors import Actor
from winddown.models import Milestone, NoticePublication, Programme, PublicNotice
from winddown.programme import jurisdictions, publications
from winddown.programme.jurisdictions import Pack
from winddown.programme.publications import Duty
from winddown.site import acts, programme_acts
from winddown.site.decisions import Decision


@dataclass(frozen=True, slots=True)
class ProgrammePage:
    """What the page shows."""

    programme: Programme
    pack: Pack
    notice: PublicNotice | None
    duties: list[Duty]
    publications: list[NoticePublication]
    may_read_evidence: bool
    deadlines: list[Milestone]
    decisions: list[Decision]

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
        may_read_evidence=actor.has_perm(publications.READ_EVIDENCE),
        deadlines=list(Milestone.objects.order_by("at")),
        decisions=[
            acts.decision(verb, act, actor=actor)
            for verb, act in programme_acts.PROGRAMME.items()
            if not act.states or programme.state in act.states
        ],
    )
