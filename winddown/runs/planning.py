"""A run is planned, approved by a second person, and started."""

from __future__ import annotations

from typing import Any

from django.db import (
    transaction,
)

from winddown import clock
from winddown.actors import Actor, require
from winddown.authority import approvals
from winddown.errors import (
    GuardNotMet,
    PlanChanged,
    PlanExpired,
    RunBusy,
    says,
)
from winddown.evidence import audit
from winddown.machines.move import transition_one
from winddown.models import (
    Approval,
    Plan,
    Run,
    Signature,
)
from winddown.runs import counting, progress, registry, steps, waking

STAGE = "run"


def plan(name: str, *, actor: Actor, reason: str, params: dict[str, Any] | None = None) -> Run:
    """A run of workflow `name` exists with its plan written, and waits for a second person.

    Changes nothing else. Raises `RunBusy` while another run of the workflow is active,
    `NotPermitted`, or what the workflow's own guards refuse.
    """
    require(actor, "winddown.plan_run", action=f"plan {name}")
    workflow = registry.get(name)
    workflow.refuse_out_of_stage()
    understood = workflow.check_params(dict(params or {}))
    with transaction.atomic():
        busy = progress.active(name)
        if busy is not None:
            raise RunBusy(workflow=name, run=busy.pk, state=busy.state)
        at = clock.now()
        run = Run.objects.create(
            workflow=name,
            params=understood,
            maker_id=actor.pk,
            reason=reason,
            requested_at=at,
            as_of=at,
        )
        return _write_plan(run, actor=actor, reason=reason)


def replan(run: Run, *, actor: Actor, reason: str) -> Run:
    """The waiting run has a new plan; an approval of the old plan is no longer valid.

    Raises `AskedAlready` when the same plan was asked for a moment ago, by a form sent twice.
    """
    require(actor, "winddown.plan_run", action=f"plan {run.workflow}")
    with transaction.atomic():
        locked = progress.locked(run)
        if locked.state != Run.State.AWAITING_APPROVAL:
            raise GuardNotMet(
                action=says("plan run {number} again", number=run.pk),
                why=says("it is {state}", state=locked.state),
            )
        return _write_plan(locked, actor=actor, reason=reason)


def _write_plan(run: Run, *, actor: Actor, reason: str) -> Run:
    workflow = registry.get(run.workflow)
    planned = workflow.plan(run)
    content = counting.content(run, planned)
    digest = approvals.digest_of(content)
    approvals.refuse_repeated(run.subject, stage=STAGE, content=content, maker=actor, reason=reason)
    Plan.objects.create(
        run=run,
        content=content | {"estimates": planned.estimates()},
        digest=digest,
        planned_at=clock.now(),
    )
    approvals.ask(
        run.subject,
        stage=STAGE,
        content=content,
        permission="winddown.approve_run",
        maker=actor,
        reason=reason,
        valid_for=workflow.approval_valid_for(run),
    )
    if run.state == Run.State.REQUESTED:
        run = transition_one(run, "submit", actor=actor, reason=reason, plan_digest=digest)
    else:
        Run.objects.filter(pk=run.pk).update(plan_digest=digest)
        run = Run.objects.get(pk=run.pk)
    audit.append(
        "run.plan",
        run.subject,
        actor=actor,
        reason=reason,
        run=run,
        workflow=run.workflow,
        digest=digest,
    )
    return run


def approve(run: Run, *, actor: Actor, digest: str, reason: str) -> Run:
    """A second person has agreed to exactly the plan of `digest`; the run may start until the
    request expires.
    """
    with transaction.atomic():
        locked = progress.locked(run)
        approvals.decide(locked.subject, stage=STAGE, actor=actor, digest=digest, reason=reason)
        locked = transition_one(locked, "approve", actor=actor, reason=reason)
        audit.append(
            "run.approve", locked.subject, actor=actor, reason=reason, run=locked, digest=digest
        )
        return locked


def reject(run: Run, *, actor: Actor, digest: str, reason: str) -> Run:
    """A second person refused the plan; the run is aborted."""
    with transaction.atomic():
        locked = progress.locked(run)
        approvals.decide(
            locked.subject, stage=STAGE, actor=actor, digest=digest, reason=reason, approve=False
        )
        locked = transition_one(locked, "reject", actor=actor, reason=reason, ended_at=clock.now())
        audit.append("run.reject", locked.subject, actor=actor, reason=reason, run=locked)
        return locked


def start(run: Run, *, actor: Actor, reason: str = "") -> Run:
    """The run's instant effect is in force, its first batches wait, and workers wake after the
    commit.

    The plan is counted again first, before any row is locked: with a million people that takes
    seconds, and the instant effect must not hold its locks for so long. Raises `PlanChanged`, and
    changes nothing, if the data changed since the approval. Raises `PlanExpired` after the
    request's 24 hours.

    An urgent workflow does not wait for this count. A worker counts before it opens the first step,
    and pauses the run if the data changed.
    """
    workflow = registry.get(run.workflow)
    now = Run.objects.get(pk=run.pk)
    counted = now.plan_digest
    if now.state == Run.State.APPROVED and not workflow.urgent:
        counted = counting.digest(now)
    with transaction.atomic():
        locked = progress.locked(run)
        if locked.state == Run.State.APPROVED:
            workflow.refuse_out_of_stage()
            request = Approval.objects.filter(subject=locked.subject, stage=STAGE).latest("pk")
            if clock.now() >= request.expires_at:
                raise PlanExpired(subject=locked.subject, expires_at=request.expires_at.isoformat())
            if counted != locked.plan_digest:
                raise PlanChanged(
                    subject=locked.subject, approved=locked.plan_digest[:12], now=counted[:12]
                )
        at = clock.now()
        first = workflow.steps(locked)[0]
        locked = transition_one(
            locked,
            "start",
            actor=actor,
            reason=reason or locked.reason,
            started_at=at,
            as_of=at,
            step="" if workflow.urgent else first.name,
        )
        workflow.at_once(locked, actor=actor)
        if not workflow.urgent:
            steps.open_step(locked, first)
        audit.append(
            "run.start", locked.subject, actor=actor, reason=reason or locked.reason, run=locked
        )
        transaction.on_commit(lambda: waking.wake(locked.pk), robust=True)
        return locked


def checker(run: Run) -> Actor:
    """Returns the second person, who approved the run."""
    signature = Signature.objects.select_related("signer").get(
        subject=run.subject, part=Signature.Part.APPROVED
    )
    return signature.signer


def _decided(said: approvals.Decided) -> object:
    run = Run.objects.get(pk=int(said.key))
    verb = approve if said.approve else reject
    return verb(run, actor=said.actor, digest=said.digest, reason=said.reason)


approvals.DECIDERS.add("run", _decided)


@approvals.STILL_WAITING.entry("run")
def _still_waiting(requests: list[Approval]) -> list[Approval]:
    """A plan waits until its run is approved or ends in another way."""
    waiting = set(
        Run.objects.filter(state=Run.State.AWAITING_APPROVAL).values_list("pk", flat=True)
    )
    return [each for each in requests if int(each.subject.partition(":")[2]) in waiting]
