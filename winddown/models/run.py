"""Runs of workflows. The state of work is in rows; a message is only a wake-up."""

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


class Run(Stateful):
    """requested -> awaiting_approval -> approved -> running <-> paused -> succeeded |
    partially_failed -> running (retry);
    requested | awaiting_approval | approved | paused -> aborted.

    A run is a sequence of steps, and a step is a sequence of batches. Counters are sums over the
    batches and are not stored here, so they are always right. One run of a workflow is active at a
    time.
    """

    class State(models.TextChoices):
        REQUESTED = "requested"
        AWAITING_APPROVAL = "awaiting_approval"
        APPROVED = "approved"
        RUNNING = "running"
        PAUSED = "paused"
        SUCCEEDED = "succeeded"
        PARTIALLY_FAILED = "partially_failed"
        ABORTED = "aborted"

    ENDED = (State.SUCCEEDED, State.PARTIALLY_FAILED, State.ABORTED)
    UNDER_WAY = (State.RUNNING, State.PAUSED)
    STARTED = (*UNDER_WAY, *ENDED)
    """It may have written something."""
    FOLLOWED = (State.APPROVED, *UNDER_WAY)
    """What `--run` starts or goes on with."""
    ABORTABLE = (State.AWAITING_APPROVAL, State.APPROVED, *UNDER_WAY)
    VERIFIED = (State.SUCCEEDED, State.PARTIALLY_FAILED)
    """Its last step is done."""
    NEEDS_NO_APPROVAL = (State.REQUESTED, State.AWAITING_APPROVAL, State.ABORTED)
    """A run that nobody approved may stand in these."""

    workflow = models.CharField(max_length=60)
    params = models.JSONField(default=dict)
    state = state_field(State, initial=State.REQUESTED)
    maker = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()
    requested_at = models.DateTimeField()
    as_of = models.DateTimeField(
        null=True, help_text="The instant the run's decisions are made for; kept to the end."
    )
    plan_digest = models.CharField(max_length=64, blank=True)
    step = models.CharField(max_length=40, blank=True)
    rate_rows_s_max = models.IntegerField(null=True)
    paced_until = models.DateTimeField(null=True)
    failure_share_max = models.FloatField(default=0.05)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["workflow"],
                condition=models.Q(
                    state__in=["requested", "awaiting_approval", "approved", "running", "paused"]
                ),
                name="one_active_run_per_workflow",
            ),
            models.CheckConstraint(
                condition=models.Q(rate_rows_s_max=None) | models.Q(rate_rows_s_max__gt=0),
                name="rate_is_positive",
            ),
        ]
        triggers = [
            *machine_guards(),
            *witnessed(
                "workflow",
                "params",
                "state",
                "maker_id",
                "reason",
                "requested_at",
                "as_of",
                "plan_digest",
                "step",
                "rate_rows_s_max",
                "failure_share_max",
                "started_at",
                "ended_at",
            ),
            columns_are_fixed(
                "workflow",
                "params",
                "maker_id",
                "plan_digest",
                once="OLD.state NOT IN ('requested', 'awaiting_approval')",
            ),
            Guard(
                name="approved_by_signature",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__state="awaiting_approval", new__state="approved"),
                func=f"""
                    IF NOT EXISTS (
                        SELECT FROM winddown_signature s JOIN winddown_approval a ON a.id = s.approval_id
                        WHERE s.subject = 'run:' || NEW.id AND s.part = 'approved' AND s.digest = NEW.plan_digest
                          AND s.signer_id <> NEW.maker_id AND a.expires_at > winddown_now()
                    ) THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.NOT_APPROVED}',
                            MESSAGE = format('run %s has no approval of a second person for its plan', NEW.id);
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.workflow} run {self.pk}"

    @property
    def subject(self) -> str:
        return f"run:{self.pk}"

    @transition(
        field="state",
        source="requested",
        target="awaiting_approval",
        permission="winddown.plan_run",
    )
    def submit(self) -> None:
        """The plan is written and waits for a second person."""

    @transition(
        field="state",
        source="awaiting_approval",
        target="approved",
        permission="winddown.approve_run",
    )
    def approve(self) -> None:
        """A second person agreed to exactly this plan."""

    @transition(
        field="state",
        source="awaiting_approval",
        target="aborted",
        permission="winddown.approve_run",
    )
    def reject(self) -> None:
        """A second person refused this plan."""

    @transition(
        field="state",
        source="approved",
        target="running",
        permission="winddown.start_run",
        custom={"system": True},
    )
    def start(self) -> None:
        """The instant effect is in force and the first batches wait."""

    @transition(
        field="state",
        source="running",
        target="paused",
        permission="winddown.pause_run",
        custom={"system": True},
    )
    def pause(self) -> None:
        """No further batch starts."""

    @transition(field="state", source="paused", target="running", permission="winddown.resume_run")
    def resume(self) -> None:
        """Batches are claimed again."""

    @transition(
        field="state",
        source="running",
        target="succeeded",
        permission="winddown.work_run",
        custom={"system": True},
    )
    def succeed(self) -> None:
        """Every step is done, and the verification found no gap."""

    @transition(
        field="state",
        source="running",
        target="partially_failed",
        permission="winddown.work_run",
        custom={"system": True},
    )
    def end_with_failures(self) -> None:
        """Every step is done; failures or gaps are stored for a retry or a decision."""

    @transition(
        field="state", source="partially_failed", target="running", permission="winddown.resume_run"
    )
    def retry(self) -> None:
        """The failures of one class wait again."""

    @transition(
        field="state",
        source=["requested", "awaiting_approval", "approved", "paused"],
        target="aborted",
        permission="winddown.abort_run",
    )
    def abort(self) -> None:
        """The run ends here; its changes stay done and logged."""


class RunTransition(TransitionLog):
    pass


class Plan(models.Model):
    """What a run will do, never changed: counts, sums, exclusions, the people that lose access, and
    the digest over all of them.
    """

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="plans")
    content = models.JSONField()
    digest = models.CharField(max_length=64)
    planned_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        triggers = [*append_only(), *witnessed()]

    def __str__(self) -> str:
        return f"plan {self.digest[:12]} of run {self.run_id}"


class StepTotal(models.Model):
    """The number of rows in a step, fixed at its start. Verification compares its counts with this
    number.
    """

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="step_totals")
    step = models.CharField(max_length=40)
    rows_expected = models.BigIntegerField()
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        triggers = witnessed()
        constraints = [models.UniqueConstraint(fields=["run", "step"], name="one_total_per_step")]

    def __str__(self) -> str:
        return f"{self.step}: {self.rows_expected}"


class Batch(models.Model):
    """One range of ids in one step, claimed under a lease with a fencing token, done in one
    transaction.

    waiting -> leased -> done; an expired lease may be claimed again under a higher token. A batch
    that was held up waits until `not_before`.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        LEASED = "leased"
        DONE = "done"
        SPLIT = "split"

    UNFINISHED = (State.WAITING, State.LEASED)
    SETTLED = (State.DONE, State.SPLIT)

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="batches")
    step = models.CharField(max_length=40)
    first_id = models.BigIntegerField()
    last_id = models.BigIntegerField()
    rows_expected = models.IntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    token = models.IntegerField(default=0)
    attempts = models.IntegerField(
        default=0, help_text="Claims that ended without a word, or in an error of its rows."
    )
    stalls = models.IntegerField(
        default=0,
        db_default=0,
        help_text="How often a lock, a lost connection or a failover held it up.",
    )
    stalled_by = models.CharField(max_length=20, default="", db_default="", blank=True)
    not_before = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    worker = models.CharField(max_length=80, blank=True)
    moved = models.IntegerField(default=0)
    failed = models.IntegerField(default=0)
    amount_minor = models.BigIntegerField(default=0)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["run", "step", "first_id"],
                condition=~models.Q(state="split"),
                name="one_batch_per_range",
            ),
            models.CheckConstraint(
                condition=models.Q(first_id__lte=models.F("last_id")), name="batch_range_in_order"
            ),
        ]
        indexes = [
            models.Index(
                fields=["run", "step", "id"],
                condition=models.Q(state__in=["waiting", "leased"]),
                name="batch_to_do",
            ),
        ]

    def __str__(self) -> str:
        return f"run {self.run_id} {self.step} {self.first_id}..{self.last_id}"


class Failure(models.Model):
    """One row that a batch could not move, stored with its reason; the other rows went on."""

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="failures")
    step = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    reason_code = models.CharField(max_length=60)
    detail = models.TextField(help_text="Never a name, an account or a token.")
    at = models.DateTimeField()
    retried_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["run", "step", "subject_id"],
                condition=models.Q(retried_at=None),
                name="one_open_failure_per_row",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.step} {self.subject_id}: {self.reason_code}"


class Worker(models.Model):
    """When a worker, the tick or a host was last seen. The watchdog reads this."""

    name = models.CharField(max_length=80, primary_key=True)
    seen_at = models.DateTimeField()
    run_id = models.BigIntegerField(null=True)
    clock_ahead_s = models.FloatField(
        null=True, help_text="Of a host: how far its clock is ahead of the database's."
    )

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
