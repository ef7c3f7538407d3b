"""A run does what its plan said, once, and its progress can be read."""

from __future__ import annotations

import pytest

from tests import factories
from tests.winddown.runs.states import states, totals
from wallets.models import WalletTransition
from winddown.errors import (
    GuardNotMet,
    TransitionRefused,
    UnknownWorkflow,
)
from winddown.evidence import invariants
from winddown.machines.move import transition_one
from winddown.models import AuditEntry, Batch, Plan, StepTotal
from winddown.runs import control, planning, progress, working

pytestmark = pytest.mark.usefixtures("programme", "workflow")


def test_a_run_does_what_its_plan_said(start, wallets, maker, checker, run_to_end):
    """Rule 61."""
    wallets(25)
    run = start()
    plan = Plan.objects.get(run=run)
    assert plan.content["counts"] == {"wallets": 25}
    assert plan.digest == run.plan_digest
    done = run_to_end(run)
    assert done.state == "succeeded"
    assert totals(run) == {"freeze": (25, 0), "hold": (25, 0)}
    assert progress.moved(run) == {"freeze": 25, "hold": 25}
    assert states() == {"held"}
    assert invariants.breached() == {}


def test_every_row_is_moved_once_and_logged_under_the_run(start, wallets, run_to_end):
    ids = wallets(25)
    run = run_to_end(start())
    logged = WalletTransition.objects.filter(subject_id__in=ids, run_id=run.pk)
    assert logged.count() == 50
    assert logged.values("subject_id", "transition").distinct().count() == 50


def test_the_expected_rows_are_fixed_when_a_step_begins(start, wallets, run_to_end):
    """A row that arrives later is neither missing nor too many."""
    wallets(10)
    run = start()
    wallets(10)
    run_to_end(run)
    assert StepTotal.objects.get(run=run, step="freeze").rows_expected == 10
    assert totals(run)["freeze"] == (10, 0)


def test_a_batch_commits_with_its_audit_entry(start, wallets, run_to_end):
    wallets(25)
    run = run_to_end(start())
    entries = AuditEntry.objects.filter(action="run.batch", run_id=run.pk)
    assert entries.count() == Batch.objects.filter(run=run).count() == 6
    assert sum(entry.facts["moved"] for entry in entries) == 50
    assert sum(entry.facts["amount_minor"] for entry in entries) == 350
    assert all("wallets_wallettransition:" in entry.rows for entry in entries)


def test_a_run_over_nothing_succeeds(start, run_to_end):
    assert run_to_end(start()).state == "succeeded"


def test_estimates_are_shown_and_are_not_part_of_the_approval(maker, wallets):
    """Customers change them until the run starts."""
    wallets(3)
    run = planning.plan("test-freeze-and-hold", actor=maker, reason="r")
    before = run.plan_digest
    factories.bring_to(factories.make_wallet(), "held")
    again = planning.replan(run, actor=maker, reason="another customer came")
    assert again.plan_digest == before
    shown = [plan.content["estimates"] for plan in Plan.objects.filter(run=run).order_by("pk")]
    assert shown == [{"seen": 3}, {"seen": 4}]


def test_a_gap_ends_the_run_as_partially_failed(start, wallets, workflow, run_to_end):
    wallets(3)
    workflow.gaps = ["one wallet is missing"]
    run = run_to_end(start())
    assert run.state == "partially_failed"
    assert AuditEntry.objects.get(action="run.end").facts["gaps"] == workflow.gaps


def test_an_unknown_workflow_cannot_be_planned(maker):
    with pytest.raises(UnknownWorkflow, match="Did you mean freeze-charges"):
        planning.plan("melt-charges", actor=maker, reason="x")


def test_progress_is_counted_from_the_batches(start, wallets, workflow):
    ids = wallets(30)
    workflow.refuses = {ids[2]}
    run = start()
    working.work(run.pk, batches_max=2)
    seen = progress.progress(run)
    assert (seen.step, seen.expected, seen.moved, seen.failed) == ("freeze", 30, 19, 1)
    assert (seen.steps, seen.steps_done, seen.amount_minor) == (2, 0, 19 * 7)
    assert seen.rows_s > 0
    assert seen.eta_s > 0


def test_only_a_running_run_can_be_paused(maker):
    run = planning.plan("test-freeze-and-hold", actor=maker, reason="x")
    with pytest.raises(TransitionRefused):
        control.pause(run, actor=maker, reason="x")
    with pytest.raises((GuardNotMet, TransitionRefused)):
        control.retry_failed(run, reason_code="x", actor=maker, reason="x") or (
            transition_one(run, "retry", actor=maker)
        )
