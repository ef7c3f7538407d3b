"""Milestones: set, extended, fired once even if the clockwork is late, and reached by a person."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from winddown import clock, locks, words
from winddown.actors import SYSTEM, Actor, require
from winddown.authority import roles
from winddown.authority.role_words import ROLE_WORDS
from winddown.errors import GuardNotMet, WinddownError, says
from winddown.evidence import audit
from winddown.locks import Lock
from winddown.models import Milestone, Programme, Run
from winddown.programme import gates
from winddown.runs import planning
from winddown.words import Text

# A few ticks may fail before a deadline counts as missed.
OVERDUE_AFTER = dt.timedelta(minutes=5)
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
            action=says("set {milestone}", milestone=kind),
            why=says("it follows from the public notice: publish a later last day"),
        )
    if at <= clock.now():
        raise GuardNotMet(
            action=says("set {milestone}", milestone=kind), why=says("the instant has passed")
        )
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
                action=says("move {milestone}", milestone=kind),
                why=says("it fired at {at}", at=present.fired_at.isoformat()),
            )
        announced = Programme.current().announced_at is not None and kind in Milestone.BY_CLOCK
        if announced and present is not None and at < present.at:
            raise GuardNotMet(
                action=says("move {milestone}", milestone=kind),
                why=says(
                    "it was announced for {at}: it comes no earlier", at=present.at.isoformat()
                ),
            )
        named = f"milestone:{kind}"
        given: dict[str, Any] = {"at": at, "ends_capability": ends_capability, "workflow": workflow}
        audit.refuse_repeated("milestone.set", named, actor=actor, reason=reason, **given)
        milestone, _ = Milestone.objects.update_or_create(kind=kind, defaults=given)
        audit.append("milestone.set", named, actor=actor, reason=reason, **given)
        return milestone


# --- owner, gate, order --------------------------------------------------------------------------


def assign(
    kind: str,
    *,
    owner_role: str,
    owner: str,
    gate: str,
    needs: Collection[str],
    actor: Actor,
    reason: str,
) -> Milestone:
    """The milestone belongs to the role, and to the person whose login ID is `owner` unless that is
    empty. It waits for the gate, and for the milestones of the kinds in `needs`.

    Raises `GuardNotMet` for a milestone that is not set or was reached, for a person without the
    role, and for milestones that would wait for each other.
    """
    action = f"assign {kind}"
    require(actor, "winddown.set_milestone", action=action)
    with transaction.atomic():
        locks.take(Lock.MILESTONES)
        milestone = _unreached(kind, action=action)
        person = _owner(owner, owner_role, action=action)
        needed = [each.value for each in Milestone.Kind if each in needs]
        if circle := _circle(kind, needed):
            raise GuardNotMet(
                action=action,
                why=format_lazy(
                    _("these would wait for each other: {milestones}"), milestones=_named(circle)
                ),
            )
        given: dict[str, Any] = {
            "owner_role": owner_role,
            "owner": person.pk if person else None,
            "gate": gate,
            "needs": needed,
        }
        audit.refuse_repeated(
            "milestone.assign", f"milestone:{kind}", actor=actor, reason=reason, **given
        )
        Milestone.objects.filter(pk=milestone.pk).update(
            owner_role=owner_role, owner=person, gate=gate, needs=needed
        )
        audit.append("milestone.assign", f"milestone:{kind}", actor=actor, reason=reason, **given)
        return Milestone.objects.get(pk=milestone.pk)


def reach(kind: str, *, actor: Actor, reason: str) -> Milestone:
    """The milestone is reached, with the numbers of its gate in the audit journal.

    Raises `GuardNotMet`, with the numbers, while the gate fails or a milestone before it is open;
    before the instant of one that the clock decides; and for somebody without the owner's role.
    """
    action = f"reach {kind}"
    require(actor, "winddown.reach_milestone", action=action)
    with transaction.atomic():
        locks.take(Lock.MILESTONES)
        milestone = _unreached(kind, action=action)
        if milestone.owner_role and milestone.owner_role not in roles.roles_of(actor):
            raise GuardNotMet(
                action=action,
                why=format_lazy(
                    _("it belongs to the role {role}"), role=ROLE_WORDS[milestone.owner_role]
                ),
            )
        at = clock.now()
        if kind in Milestone.BY_CLOCK and at < milestone.at:
            raise GuardNotMet(action=action, why=_("its instant is still to come"))
        counts = gates.measured(milestone.gate)
        if what := [*gates.failing(counts), *open_before(milestone)]:
            raise GuardNotMet(action=action, why=gates.said(what))
        Milestone.objects.filter(pk=milestone.pk).update(reached_at=at, reached_by_id=actor.pk)
        audit.append(
            "milestone.reach",
            f"milestone:{kind}",
            actor=actor,
            reason=reason,
            gate=milestone.gate,
            counts=[{"found": each.found, "of": each.of} for each in counts],
        )
        return Milestone.objects.get(pk=milestone.pk)


def open_before(milestone: Milestone) -> list[Text]:
    """Returns a sentence for each milestone that it depends on and that is open."""
    known = {each.kind: each for each in Milestone.objects.filter(kind__in=milestone.needs)}
    return [
        format_lazy(_("{milestone} is not reached"), milestone=words.milestone_title(kind))
        for kind in milestone.needs
        if kind not in known or known[kind].is_open
    ]


def _unreached(kind: str, *, action: str) -> Milestone:
    milestone = Milestone.objects.select_for_update().filter(kind=kind).first()
    if milestone is None:
        raise GuardNotMet(action=action, why=_("it has no instant yet: set the milestone first"))
    if milestone.reached_at is not None:
        raise GuardNotMet(action=action, why=_("it was reached"))
    return milestone


def _owner(login: str, role: str, *, action: str) -> Any:
    """Returns the person, who holds the role; None for an empty login ID."""
    if not login:
        return None
    person = (
        get_user_model().objects.filter(login_id=login.lower(), kind="staff", is_active=True)
    ).first()
    if person is None or role not in roles.roles_of(person):
        raise GuardNotMet(action=action, why=_("the person is nobody here with this role"))
    return person


def _circle(kind: str, needed: Collection[str]) -> list[str]:
    """Returns the kinds along which the milestone would wait for itself; none if it would not."""
    before = dict(Milestone.objects.values_list("kind", "needs")) | {kind: list(needed)}
    ways = [[each] for each in needed]
    seen: set[str] = set()
    while ways:
        way = ways.pop()
        if way[-1] == kind:
            return way
        if way[-1] not in seen:
            seen.add(way[-1])
            ways += [[*way, each] for each in before.get(way[-1], ())]
    return []


def _named(kinds: Collection[str]) -> Text:
    said: Text = gates.said([words.milestone_title(kind) for kind in kinds])
    return said


# --- the instant --------------------------------------------------------------------------------


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


def overdue(at: dt.datetime) -> tuple[list[Milestone], list[Milestone]]:
    """Returns the deadlines that passed `OVERDUE_AFTER` ago and have not fired, and those that
    fired and whose workflow has never started.
    """
    passed = Milestone.objects.filter(at__lte=at - OVERDUE_AFTER).order_by("at")
    started = Run.objects.filter(state__in=Run.STARTED).exclude(state=Run.State.ABORTED)
    unstarted = passed.filter(fired_at__isnull=False).exclude(workflow="")
    return (
        list(passed.filter(fired_at=None)),
        list(unstarted.exclude(workflow__in=started.values("workflow"))),
    )


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
