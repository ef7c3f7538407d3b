"""The stages of the programme that people start: the incident, the announcement."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from winddown import clock
from winddown.actors import Actor
from winddown.evidence import audit
from winddown.machines.move import transition_one
from winddown.models import Programme


def declare_incident(*, actor: Actor, reason: str) -> Programme:
    """The operator is aware of an incident; the reporting deadlines count from now."""
    return _move("declare_incident", actor=actor, reason=reason, aware_at=clock.now())


def announce(*, actor: Actor, reason: str) -> Programme:
    """The end of the service is public; charges and registration can no longer be restored."""
    return _move("announce", actor=actor, reason=reason, announced_at=clock.now())


def _move(name: str, *, actor: Actor, reason: str, **columns: Any) -> Programme:
    with transaction.atomic():
        done = transition_one(Programme.current(), name, actor=actor, reason=reason, **columns)
        audit.append(f"programme.{name}", "programme", actor=actor, reason=reason, state=done.state)
        return done
