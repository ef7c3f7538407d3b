"""The stages of the programme that people start: the incident, the announcement, the completion."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.db import transaction

from winddown import clock
from winddown.actors import SYSTEM, Actor
from winddown.errors import GuardNotMet
from winddown.evidence import audit
from winddown.machines.move import transition_one
from winddown.models import Capability, Programme
from winddown.registries import Registry

# What is missing is never taken for done: without an entry, nothing is completed or reported.
CLOSING_PROOFS: Registry[Callable[[], list[str]]] = Registry(
    "closing proofs",
    entries_are="returns one sentence for each thing that is still open at the end",
    owner=__name__,
)


def declare_incident(
    *, actor: Actor, reason: str, aware_at: dt.datetime | None = None
) -> Programme:
    """The operator is aware of an incident since `aware_at` (now by default), and the reporting
    deadlines count from then.

    If something was stopped before, the service is restricted already. Raises `GuardNotMet` for an
    instant in the future, or before the service began.
    """
    at, programme = clock.now(), Programme.current()
    aware_at = aware_at or at
    if aware_at > at:
        raise GuardNotMet(action="declare the incident", why="the instant is in the future")
    if aware_at < programme.launched_at:
        raise GuardNotMet(action="declare the incident", why="the service began later than that")
    with transaction.atomic():
        declared = _move("declare_incident", actor=actor, reason=reason, aware_at=aware_at)
        if not Capability.objects.exclude(state=Capability.State.ENABLED).exists():
            return declared
        # No later stop would lead out of the incident.
        return transition_one(declared, "restrict", actor=SYSTEM, reason=reason)


def restore(*, actor: Actor, reason: str) -> Programme:
    """The service goes on as before the incident. Raises `GuardNotMet` while a switch is off."""
    off = Capability.objects.exclude(state=Capability.State.ENABLED).values_list("code", flat=True)
    if off:
        raise GuardNotMet(
            action="end the incident", why=f"restart first what is stopped: {', '.join(off)}"
        )
    return _move("restore", actor=actor, reason=reason)


def announce(*, actor: Actor, reason: str) -> Programme:
    """The end of the service is public; charges and registration can no longer be restored."""
    return _move("announce", actor=actor, reason=reason, announced_at=clock.now())


def complete(*, actor: Actor, reason: str) -> Programme:
    """Nothing is open any more. Raises `GuardNotMet`, which says what is open or cannot be shown."""
    _refuse_while_open("complete the programme")
    return _move("complete", actor=actor, reason=reason)


def report(*, actor: Actor, reason: str) -> Programme:
    """The authority has the completion report. Raises `GuardNotMet` as `complete` does."""
    _refuse_while_open("report the completion")
    return _move("report", actor=actor, reason=reason)


def _refuse_while_open(action: str) -> None:
    if not CLOSING_PROOFS.names():
        raise GuardNotMet(action=action, why="nothing here can show that everything is settled")
    still_open = [sentence for proof in CLOSING_PROOFS.values() for sentence in proof()]
    if still_open:
        raise GuardNotMet(action=action, why="; ".join(still_open))


def _move(name: str, *, actor: Actor, reason: str, **columns: Any) -> Programme:
    with transaction.atomic():
        done = transition_one(Programme.current(), name, actor=actor, reason=reason, **columns)
        audit.append(f"programme.{name}", "programme", actor=actor, reason=reason, state=done.state)
        return done
