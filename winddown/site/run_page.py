"""A run's own page: plan, signatures, steps, failures and timeline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from winddown.actors import Actor
from winddown.models import Approval, AuditEntry, Plan, Run, RunTransition, Signature
from winddown.site import decisions, incident_page, run_rows
from winddown.site.decisions import Decision

TIMELINE_MAX = 100
PARTS = ("counts", "sums_minor", "excluded", "locked_out", "terms", "estimates")


@dataclass(frozen=True, slots=True)
class PlanPart:
    """One part of a plan. Each line has a name, a value, and whether the value is an amount."""

    name: str
    lines: list[tuple[str, Any, bool]]


@dataclass(frozen=True, slots=True)
class RunPage:
    """Everything on the page."""

    now: incident_page.Now
    run: Run
    row: run_rows.RunRow
    plan: Plan
    parts: list[PlanPart]
    request: Approval | None
    signatures: list[Signature]
    decisions: list[Decision]
    timeline: list[AuditEntry]
    gaps: str

    @property
    def live(self) -> bool:
        """Returns whether the run can still change."""
        return self.run.state not in Run.ENDED

    @property
    def expired(self) -> bool:
        return (
            self.request is not None
            and self.run.state in (Run.State.AWAITING_APPROVAL, Run.State.APPROVED)
            and self.request.expires_at <= self.now.at
        )

    def decision(self, verb: str) -> Decision | None:
        return next((each for each in self.decisions if each.verb == verb), None)


def look(run: Run, *, actor: Actor) -> RunPage:
    """Returns the page as `actor` sees it."""
    moment = incident_page.now()
    plan = Plan.objects.filter(run=run).order_by("-pk").first()
    if plan is None:
        raise AssertionError("a run is written together with its plan")
    signatures = list(
        Signature.objects.filter(subject=run.subject).select_related("signer").order_by("pk")
    )
    return RunPage(
        now=moment,
        run=run,
        row=run_rows.look([run], real_at=moment.real_at)[0],
        plan=plan,
        parts=list(_parts(plan)),
        request=Approval.objects.filter(subject=run.subject).order_by("-pk").first(),
        signatures=signatures,
        decisions=decisions.for_run(run, actor=actor, signed=signatures),
        timeline=list(
            AuditEntry.objects.filter(subject=run.subject)
            .select_related("actor")
            .order_by("-seq")[:TIMELINE_MAX]
        ),
        gaps=_gaps(run),
    )


def _parts(plan: Plan) -> Iterator[PlanPart]:
    for name in PARTS:
        lines = [
            (line, value, name == "sums_minor" or line.endswith("_minor"))
            for line, value in plan.content.get(name, {}).items()
        ]
        if lines:
            yield PlanPart(name=name, lines=lines)


def _gaps(run: Run) -> str:
    """Returns what the verification found missing when the run ended."""
    if run.state != Run.State.PARTIALLY_FAILED:
        return ""
    ends = RunTransition.objects.filter(subject_id=run.pk, transition="end_with_failures")
    return ends.order_by("-pk").values_list("reason", flat=True).first() or ""
