"""The credential fence: its row ends the credentials of customers from before its instant."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django_fsm import transition

from winddown.guards import Guard
from winddown.machines.declare import Stateful, machine_guards, state_field
from winddown.models import Run, TransitionLog
from winddown.sqlstates import SqlState
from winddown.witness import witnessed


class CredentialFence(Stateful):
    """standing -> lifted | superseded.

    While it stands, no credential of a customer from before `not_before` is accepted. A credential
    from that instant or later is accepted. One fence stands at a time; a later run supersedes it
    with a later instant. Lifting takes two people, and is refused once a batch of its run has
    removed passwords. Rows are never deleted, and an ended fence never changes again.
    """

    class State(models.TextChoices):
        STANDING = "standing"
        LIFTED = "lifted"
        SUPERSEDED = "superseded"

    IN_FORCE = (State.STANDING, State.SUPERSEDED)
    """Credentials from before its instant are not accepted. A later fence adds to an earlier one.
    """
    TAKEN_BACK = (State.LIFTED,)
    """It refuses nothing."""

    not_before = models.DateTimeField()
    run = models.OneToOneField(Run, on_delete=models.PROTECT, related_name="credential_fence")
    state = state_field(State, initial=State.STANDING)
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["state"], condition=Q(state="standing"), name="one_standing_fence"
            ),
            models.CheckConstraint(
                condition=Q(state="lifted", lifted_at__isnull=False)
                | (~Q(state="lifted") & Q(lifted_at=None)),
                name="lifted_fence_has_its_instant",
            ),
        ]
        triggers = [
            *machine_guards(),
            *witnessed(),
            Guard(
                name="fence_is_kept",
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                func=f"""
                    IF TG_OP = 'DELETE' OR OLD.state <> 'standing'
                       OR NEW.not_before <> OLD.not_before OR NEW.run_id <> OLD.run_id THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.APPEND_ONLY}', MESSAGE = format(
                            'credential fence %s is kept as it is: %s refused', OLD.id, TG_OP);
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(
                name="lifted_by_two",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__state="standing", new__state="lifted"),
                func=f"""
                    IF NOT EXISTS (
                        SELECT FROM winddown_signature s
                        JOIN winddown_approval a ON a.id = s.approval_id
                        WHERE s.subject = 'credential_fence:' || NEW.id AND s.part = 'approved'
                          AND s.signer_id <> a.maker_id
                    ) THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.SAME_PERSON}', MESSAGE = format(
                            'credential fence %s: no second person agreed to lift it', NEW.id);
                    END IF;
                    IF EXISTS (
                        SELECT FROM winddown_batch b
                        WHERE b.run_id = NEW.run_id AND b.step = 'remove_passwords' AND b.moved > 0
                    ) THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.FENCE_REFUSED}', MESSAGE = format(
                            'credential fence %s: its run has removed passwords', NEW.id);
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"credential fence {self.pk}"

    @property
    def approval_subject(self) -> str:
        return f"credential_fence:{self.pk}"

    @transition(
        field="state",
        source="standing",
        target="lifted",
        permission="accounts.fence_credentials",
    )
    def lift(self) -> None:
        """Two people took the measure back before any password was gone."""

    @transition(
        field="state",
        source="standing",
        target="superseded",
        permission="accounts.fence_credentials",
        custom={"system": True},
    )
    def supersede(self) -> None:
        """A later run raised a later fence."""


class CredentialFenceTransition(TransitionLog):
    pass
