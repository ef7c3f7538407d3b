"""Storms of sign-ins: a list-type attack, seen while it lasts."""

from __future__ import annotations

from django.db import models
from django_fsm import transition

from winddown.machines.declare import Stateful, machine_guards, state_field
from winddown.models import TransitionLog


class SignInStorm(Stateful):
    """under_way -> over.

    While one is under way, devices that are seen for the first time share a small allowance of
    attempts. It holds until `holds_until`, which moves on while the signs last. The state follows
    at the next look. `signs` are the counts at its beginning. They are numbers without personal
    data.
    """

    class State(models.TextChoices):
        UNDER_WAY = "under_way"
        OVER = "over"

    ALONE = (State.UNDER_WAY, State.OVER)
    """Code asks for one of these at a time. No set of states has a common meaning."""

    state = state_field(State, initial=State.UNDER_WAY)
    began_at = models.DateTimeField()
    holds_until = models.DateTimeField()
    signs = models.JSONField()

    class Meta:
        default_permissions = ()
        triggers = machine_guards()
        constraints = [
            models.UniqueConstraint(
                fields=["state"],
                condition=models.Q(state="under_way"),
                name="one_storm_under_way",
            ),
            models.CheckConstraint(
                condition=models.Q(holds_until__gt=models.F("began_at")),
                name="storm_holds_for_a_while",
            ),
        ]

    def __str__(self) -> str:
        return f"sign-in storm {self.pk}"

    @transition(
        field="state",
        source="under_way",
        target="over",
        permission="accounts.end_storm",
        custom={"system": True},
    )
    def end(self) -> None:
        """Devices that are seen for the first time have the ordinary limits again."""


class SignInStormTransition(TransitionLog):
    pass
