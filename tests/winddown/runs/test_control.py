"""A run is started once, paused, resumed, aborted and slowed down."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import DatabaseError, connection, transaction

from tests.winddown.runs.states import fresh, states, totals
from wallets.models import Wallet, WalletTransition
from winddown.errors import (
    NotPermitted,
    RunBusy,
    TransitionRefused,
)
from winddown.models import AuditEntry, Batch, Run
from winddown.runs import batches, control, planning, progress, waking, working

pytestmark = pytest.mark.usefixtures("programme", "workflow")

# --- starting once ------------------------------------------------------------------------------


def test_a_second_start_is_refused_and_changes_nothing(start, wallets, maker):
    wallets(3)
    run = start()
    made = Batch.objects.count()
    with pytest.raises(TransitionRefused):
        planning.start(run, actor=maker)
    assert Batch.objects.count() == made


def test_a_workflow_has_one_active_run(start, maker, run_to_end):
    run = start()
    with pytest.raises(RunBusy) as busy:
        planning.plan("test-freeze-and-hold", actor=maker, reason="again")
    assert busy.value.facts["run"] == run.pk
    with pytest.raises(DatabaseError, match="one_active_run_per_workflow"), transaction.atomic():
        Run.objects.create(
            workflow="test-freeze-and-hold", maker=maker, reason="x", requested_at=run.requested_at
        )
    run_to_end(run)
    assert (
        planning.plan("test-freeze-and-hold", actor=maker, reason="again").state
        == "awaiting_approval"
    )


def test_a_second_run_finds_no_rows_and_reports_it(start, wallets, maker, checker, run_to_end):
    """Rule 4."""
    wallets(12)
    run_to_end(start())
    again = run_to_end(start())
    assert (again.state, progress.moved(again)) == ("succeeded", {})
    assert WalletTransition.objects.count() == 24


def test_every_control_requires_its_permission(start, staff, maker, wallets):
    wallets(3)
    run = start()
    support, analyst = staff("support"), staff("fraud_analyst")
    for act in (
        lambda: control.pause(run, actor=support, reason="x"),
        lambda: control.set_rate(run, rows_s_max=5, actor=support, reason="x"),
        lambda: planning.plan("freeze-charges", actor=analyst, reason="x"),
    ):
        with pytest.raises(NotPermitted):
            act()
    paused = control.pause(run, actor=maker, reason="x")
    for verb in (control.resume, control.abort):
        with pytest.raises(NotPermitted):
            verb(paused, actor=support, reason="x")


# --- pause, resume, abort, rate -----------------------------------------------------------------


def test_no_batch_starts_after_a_pause(start, wallets, maker, run_to_end):
    """Rule 62."""
    wallets(40)
    run = start()
    assert working.work(run.pk, batches_max=2) == 2
    control.pause(run, actor=maker, reason="wait")
    assert working.work(run.pk) == 0
    assert totals(run)["freeze"] == (20, 0)
    control.resume(run, actor=maker, reason="go")
    assert run_to_end(run).state == "succeeded"
    assert totals(run)["freeze"] == (40, 0)


def test_a_batch_claimed_before_a_pause_is_put_back(start, wallets, maker, workflow):
    """Rule 62: this holds for a pause between the claim and the work."""
    wallets(20)
    run = start()
    claim = batches.claim(run.pk, "me")
    control.pause(run, actor=maker, reason="wait")
    working._do(claim, "me")
    claim = Batch.objects.get(pk=claim.pk)
    assert (claim.state, claim.attempts, claim.lease_until) == ("waiting", 0, None)
    assert (workflow.applied, states()) == (0, {"active"})


def test_an_aborted_run_keeps_its_results_and_moves_no_more_rows(start, wallets, maker):
    wallets(30)
    run = start()
    working.work(run.pk, batches_max=1)
    control.pause(run, actor=maker, reason="wait")
    assert control.abort(run, actor=maker, reason="enough").state == "aborted"
    assert working.work(run.pk) == 0
    assert Wallet.objects.filter(state="charge_frozen").count() == 10
    with pytest.raises(TransitionRefused):
        control.resume(run, actor=maker, reason="oh")


def test_an_abort_lets_the_batch_under_way_end(start, wallets, maker, workflow):
    """The run is aborted during a batch: that batch ends, and no other begins."""
    wallets(30)
    run = start()

    def cancelled(batch, rows):
        if workflow.applied == 2:
            assert control.abort(run, actor=maker, reason="enough").state == "aborted"

    workflow.before = cancelled
    assert working.work(run.pk) == 2
    assert totals(run)["freeze"] == (20, 0)
    assert Wallet.objects.filter(state="charge_frozen").count() == 20
    assert not Batch.objects.filter(run=run, state="leased").exists()
    assert list(
        AuditEntry.objects.filter(run_id=run.pk, reason="enough").values_list("action", flat=True)
    ) == ["run.pause", "run.abort"]


def test_the_rate_holds_for_all_workers_together(own_database, start, wallets, maker):
    """The rows are never faster than asked. A slow machine cannot break this lower bound of the
    time.
    """
    wallets(60)
    run = start()
    control.set_rate(run, rows_s_max=20, actor=maker, reason="gently")

    def worker():
        try:
            while run.pk in waking.owed() and working.work(run.pk, seconds_max=60):
                pass
        finally:
            connection.close()

    began = time.monotonic()
    threads = [threading.Thread(target=worker) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - began
    assert fresh(run).state == "succeeded"
    # 120 rows in twelve batches: all but the first have waited for the ten rows before them.
    assert took >= 110 / 20


def test_a_rate_below_one_batch_in_five_seconds_is_kept(start, wallets, maker):
    """A worker does not sleep through a long wait. It comes back, and the batch is still not due."""
    wallets(20)
    run = start()
    control.set_rate(run, rows_s_max=1, actor=maker, reason="very gently")
    began = time.monotonic()
    working.work(run.pk, seconds_max=7)
    assert totals(run)["freeze"] == (10, 0), f"after {time.monotonic() - began:.0f} s"


def test_the_rate_can_be_lifted_while_the_run_is_running(start, wallets, maker, run_to_end):
    wallets(20)
    run = start()
    control.set_rate(run, rows_s_max=1, actor=maker, reason="gently")
    working.work(run.pk, batches_max=1)
    control.set_rate(run, rows_s_max=None, actor=maker, reason="now")
    assert run_to_end(run).state == "succeeded"
    assert AuditEntry.objects.filter(action="run.rate").count() == 2


def test_a_rate_that_is_not_positive_is_refused(start, maker):
    with pytest.raises(DatabaseError, match="rate_is_positive"), transaction.atomic():
        control.set_rate(start(), rows_s_max=0, actor=maker, reason="x")
