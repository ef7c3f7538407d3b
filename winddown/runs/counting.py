"""What a plan says when it is counted, and whether it still says so."""

from __future__ import annotations

from typing import Any

from winddown.authority import approvals
from winddown.models import Run
from winddown.runs import registry


def content(run: Run, planned: registry.PlanContent) -> dict[str, Any]:
    """Returns what the second person approves."""
    return {"workflow": run.workflow, "params": run.params, **planned.as_dict()}


def digest(run: Run) -> str:
    """Returns the digest of the plan, counted now."""
    return approvals.digest_of(content(run, registry.get(run.workflow).plan(run)))


def reason_to_pause(run: Run) -> str:
    """Returns why the started run must not open its first step: the data changed since the
    approval. Returns an empty text when the plan still says the same.
    """
    # A plan counts as of the request, and a run works as of its start.
    as_planned = Run.objects.get(pk=run.pk)
    as_planned.as_of = run.requested_at
    if digest(as_planned) == run.plan_digest:
        return ""
    return (
        "The data changed since the approval. The instant effect stands. Cancel the run and plan it"
        " again."
    )
