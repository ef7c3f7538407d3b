"""External identities: a login at another provider that opens an account here."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django_fsm import transition

from winddown.guards import Guard, columns_are_fixed
from winddown.machines.declare import Stateful, machine_guards, state_field
from winddown.models import TransitionLog
from winddown.sqlstates import SqlState


class ExternalIdentity(Stateful):
    """active -> suspended -> active.

    A suspended identity opens nothing. The switch `login_external:<provider>` refuses first, for
    all people at once. This state is the record of each person. It is a mass table without a
    foreign key in the database. `manage.py verify` checks it as a set.
    """

    class State(models.TextChoices):
        ACTIVE = "active"
        SUSPENDED = "suspended"

    ALONE = (State.ACTIVE, State.SUSPENDED)
    """Code asks for one of these at a time. No set of states has a common meaning."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="external_identities",
    )
    provider = models.CharField(max_length=20)
    subject = models.CharField(max_length=255, help_text="The provider's own key of the person.")
    state = state_field(State, initial=State.ACTIVE)
    linked_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        triggers = [
            *machine_guards(),
            columns_are_fixed("provider"),
            Guard(
                name="provider_is_declared",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="after"),
                declare=[("wrong", "text")],
                func=f"""
                    SELECT min(a.provider) INTO wrong
                    FROM after a LEFT JOIN winddown_loginprovider p ON p.code = a.provider
                    WHERE p.id IS NULL;
                    IF wrong IS NOT NULL THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.NOT_DECLARED}',
                            MESSAGE = format('%s is no login provider of the programme', wrong);
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["provider", "subject"], name="subject_known_once"),
            models.UniqueConstraint(fields=["user", "provider"], name="one_identity_per_provider"),
        ]

    def __str__(self) -> str:
        return f"external identity {self.pk}"

    @transition(
        field="state",
        source="active",
        target="suspended",
        permission="accounts.suspend_identity",
        custom={"system": True},
    )
    def suspend(self) -> None:
        """The identity opens nothing."""

    @transition(
        field="state",
        source="suspended",
        target="active",
        permission="accounts.restore_identity",
        custom={"system": True},
    )
    def restore(self) -> None:
        """The identity opens the account again, once its provider's switch is on."""


class ExternalIdentityTransition(TransitionLog):
    pass
