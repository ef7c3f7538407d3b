"""Deadlines: set, extended, and fired once, even if the clockwork is late."""

from __future__ import annotations

import datetime as dt

from django.db import connection, transaction

from winddown import clock
from winddown.actors import SYSTEM, Actor, require
from winddown.errors import GuardNotMet, WinddownError
from winddown.evidence import audit
from winddown.models import Milestone, Programme, Run
from winddown.runs import planning

# The end of the refund window follows from the public notice.
BY_PEOPLE = tuple(each for each in Milestone.Kind if each != Milestone.Kind.REFUND_WINDOW_ENDS)


def set_milestone(
    kind: str,
    *,
    at: dt.datetime,
    actor: Actor,
    reason: str,
    ends_capability: str = "",
    workflow: str = "",
) -> Milestone:
    """The deadline of `kind` is `at`, exclusive.

    Raises `GuardNotMet` for an instant that has passed, for a milestone that has fired, and for the
    end of the refund window: that follows from the public notice alone.
    """
    require(actor, "winddown.set_milestone", action=f"set {kind}")
    if kind not in BY_PEOPLE:
        raise GuardNotMet(
            action=f"set {kind}", why="it follows from the public notice: publish a later last day"
        )
    if at <= clock.now():
        raise GuardNotMet(action=f"set {kind}", why="the instant has passed")
    return _set(
        kind,
        at=at,
        actor=actor,
        reason=reason,
        ends_capability=ends_capability,
        workflow=workflow,
    )


def follow_notice(last_day: dt.date, *, actor: Actor, reason: str) -> Milestone:
    """The window ends with its last day, at 24:00 in the programme's zone. A fired milestone cannot
    be moved: `GuardNotMet`.
    """
    after = last_day + dt.timedelta(days=1)
    at = dt.datetime.combine(after, dt.time(), tzinfo=Programme.current().zone)
    return _set(Milestone.Kind.REFUND_WINDOW_ENDS, at=at, actor=actor, reason=reason)


def _set(
    kind: str,
    *,
    at: dt.datetime,
    actor: Actor,
    reason: str,
    ends_capability: str = "",
    workflow: str = "",
) -> Milestone:
    with transaction.atomic():
        present = Milestone.objects.select_for_update().filter(kind=kind).first()
        if present is not None and present.fired_at is not None:
            raise GuardNotMet(
                action=f"move {kind}", why=f"it fired at {present.fired_at.isoformat()}"
            )
        named = f"milestone:{kind}"
        audit.refuse_repeated("milestone.set", named, actor=actor, reason=reason, at=at)
        milestone, _ = Milestone.objects.update_or_create(
            kind=kind, defaults={"at": at, "ends_capability": ends_capability, "workflow": workflow}
        )
        audit.append("milestone.set", named, actor=actor, reason=reason, at=at)
        return milestone


def fire_due() -> list[Milestone]:
    """Every due milestone has fired, once, with its delay recorded; returns those fired now.

    A milestone that names a workflow starts that workflow's approved run. If the start is refused,
    the milestone has still fired, and the audit journal has the refusal. The request path enforces
    the deadline in any case.
    """
    fired = []
    while (milestone := _fire_next()) is not None:
        fired.append(milestone)
    return fired


def _fire_next() -> Milestone | None:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                """
                UPDATE winddown_milestone SET fired_at = instant, late_by = instant - at
                FROM (SELECT winddown_now() AS instant) AS clock
                WHERE id = (SELECT id FROM winddown_milestone WHERE fired_at IS NULL AND at <= winddown_now()
                            ORDER BY at LIMIT 1 FOR UPDATE SKIP LOCKED)
                  AND fired_at IS NULL
                RETURNING id
                """
            )
            row = cursor.fetchone()
        if row is None:
            return None
        milestone = Milestone.objects.get(pk=row[0])
        outcome = _start_workflow(milestone) if milestone.workflow else "nothing to start"
        audit.append(
            "milestone.fire",
            f"milestone:{milestone.kind}",
            actor=SYSTEM,
            at=milestone.at,
            late_s=milestone.late_by.total_seconds() if milestone.late_by else 0,
            outcome=outcome,
        )
        return milestone


def _start_workflow(milestone: Milestone) -> str:
    run = Run.objects.filter(workflow=milestone.workflow, state=Run.State.APPROVED).first()
    if run is None:
        return f"alarm: {milestone.workflow} has no approved run"
    try:
        with transaction.atomic():
            planning.start(run, actor=SYSTEM, reason=f"{milestone.kind} reached")
    except WinddownError as refusal:
        return f"alarm: {refusal}"
    return f"started run {run.pk}"
