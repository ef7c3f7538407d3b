"""Capabilities: the switches that movements of money and sign-ins read inside their own
transaction.
"""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django_fsm import transition

from winddown.guards import Guard, append_only, columns_are_fixed
from winddown.machines.declare import Stateful, machine_guards, state_field
from winddown.models.transition import TransitionLog
from winddown.sqlstates import SqlState
from winddown.witness import witnessed


class Capability(Stateful):
    """enabled -> disabled -> restoring -> enabled; restoring -> disabled.

    `version` rises at every flip. Every row that the switch let through stores the version. There
    is no state between enabled and disabled: a flip is complete when it commits.
    """

    class State(models.TextChoices):
        ENABLED = "enabled"
        DISABLED = "disabled"
        RESTORING = "restoring"

    ALONE = (State.ENABLED, State.DISABLED, State.RESTORING)
    """Asked for one at a time: no set of states has the same meaning."""

    code = models.CharField(max_length=60, unique=True)
    state = state_field(State, initial=State.ENABLED)
    version = models.IntegerField(default=1)
    since = models.DateTimeField()
    reason = models.TextField(blank=True)
    stopped_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    ratified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    ratify_by = models.DateTimeField(
        null=True, help_text="When an unratified stop becomes an alarm."
    )
    review_at = models.DateTimeField(
        null=True, help_text="When the stop must be reviewed; it is never lifted by itself."
    )

    class Meta:
        default_permissions = ()
        triggers = [
            *machine_guards(),
            *witnessed(),
            columns_are_fixed("code"),
            columns_are_fixed(
                "version", "since", once="OLD.state = NEW.state", name="version_of_a_flip"
            ),
            Guard(
                name="restored_by_two",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__state="restoring", new__state="enabled"),
                func=f"""
                    IF NOT EXISTS (
                        SELECT FROM winddown_signature s JOIN winddown_approval a ON a.id = s.approval_id
                        WHERE s.subject = format('capability:%s:%s:restore', OLD.code, OLD.version)
                          AND s.part = 'approved' AND s.signer_id <> a.maker_id
                    ) THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.NOT_APPROVED}',
                            MESSAGE = format('%s is not restored without a second person', OLD.code);
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ratified_by=None)
                | ~models.Q(ratified_by=models.F("stopped_by")),
                name="stop_ratified_by_a_second",
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @transition(
        field="state",
        source="enabled",
        target="disabled",
        permission="winddown.stop_capability",
        custom={"system": True},
    )
    def stop(self) -> None:
        """After the commit, nothing passes under the old version."""

    @transition(
        field="state",
        source="disabled",
        target="restoring",
        permission="winddown.restore_capability",
    )
    def request_restore(self) -> None:
        """A first person has asked; nothing passes yet."""

    @transition(
        field="state",
        source="restoring",
        target="enabled",
        permission="winddown.restore_capability",
    )
    def restore(self) -> None:
        """A second person agreed; movements pass again under a new version."""

    @transition(
        field="state",
        source="restoring",
        target="disabled",
        permission="winddown.restore_capability",
    )
    def keep_stopped(self) -> None:
        """The request was rejected."""


class CapabilityTransition(TransitionLog):
    pass


class Probe(models.Model):
    """One deliberate attempt that tests whether a switch refuses."""

    capability = models.ForeignKey(Capability, on_delete=models.PROTECT)
    version = models.IntegerField()
    at = models.DateTimeField()
    refused = models.BooleanField()
    answer = models.TextField()

    class Meta:
        default_permissions = ()
        triggers = [*append_only(), *witnessed()]

    def __str__(self) -> str:
        return f"{self.capability_id} {'refused' if self.refused else 'PASSED'}"
