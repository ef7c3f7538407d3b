"""A row that fails is parked with its reason, tried again when told, and the rest goes on."""

from __future__ import annotations

import pytest

from tests.winddown.runs.states import fresh, states, totals
from wallets.models import Wallet
from winddown.evidence import invariants
from winddown.models import AuditEntry, Batch, Failure
from winddown.runs import control, progress

pytestmark = pytest.mark.usefixtures("programme", "workflow")


def test_a_poison_row_is_parked_with_its_reason_and_the_rest_goes_on(
    start, wallets, workflow, run_to_end
):
    ids = wallets(30)
    workflow.refuses = {ids[4], ids[17]}
    run = run_to_end(start())
    assert run.state == "partially_failed"
    assert totals(run)["freeze"] == (28, 2)
    assert progress.failures_by_reason(run) == {"WalletNotUsable": 2}
    parked = Failure.objects.filter(run=run).order_by("subject_id")
    assert [(each.subject_id, each.step) for each in parked] == [
        (ids[4], "freeze"),
        (ids[17], "freeze"),
    ]
    assert "poisoned" in parked[0].detail
    assert Wallet.objects.filter(state="held").count() == 28


def test_a_row_that_the_database_refuses_is_parked_with_its_code(
    start, wallets, workflow, run_to_end
):
    """The stored reason names the class and the constraint, never the row's values."""
    ids = wallets(12)
    workflow.before = lambda batch, rows: (
        rows.filter(pk=ids[3]).update(bonus_minor=-1) if batch.step == "freeze" else None
    )
    run = run_to_end(start())
    failure = Failure.objects.get(run=run)
    assert (failure.subject_id, failure.reason_code) == (ids[3], "sql_23514")
    assert failure.detail == "bonus_value_not_negative"


def test_a_run_that_fails_too_often_pauses_itself(start, wallets, workflow, maker, run_to_end):
    ids = wallets(100)
    workflow.refuses = set(ids[:50:2])
    run = run_to_end(start())
    assert run.state == "paused"
    why = AuditEntry.objects.get(action="run.pause").reason
    assert why.startswith("circuit breaker: 20 of ")
    workflow.refuses = set()
    control.resume(run, actor=maker, reason="the cause is gone")
    assert run_to_end(run).state == "partially_failed"
    assert totals(run)["freeze"] == (80, 20)


def test_a_few_failures_do_not_pause_the_run(start, wallets, workflow, run_to_end):
    ids = wallets(60)
    workflow.refuses = set(ids[:19])
    run = run_to_end(start())
    assert run.state == "partially_failed"
    assert totals(run)["freeze"] == (41, 19)


def test_failed_rows_of_one_class_are_tried_again(start, wallets, workflow, maker, run_to_end):
    ids = wallets(30)
    workflow.refuses = {ids[0], ids[14], ids[16], ids[29]}
    run = run_to_end(start())
    workflow.refuses = {ids[14]}
    assert (
        control.retry_failed(run, reason_code="WalletNotUsable", actor=maker, reason="fixed") == 4
    )
    assert fresh(run).state == "running"
    run = run_to_end(run)
    assert run.state == "partially_failed"
    assert totals(run)["freeze"] == (29, 1)
    assert progress.failures_by_reason(run) == {"WalletNotUsable": 1}
    assert Failure.objects.filter(run=run).count() == 5
    workflow.refuses = set()
    control.retry_failed(run, reason_code="WalletNotUsable", actor=maker, reason="fixed")
    run = run_to_end(run)
    assert totals(run)["freeze"] == (30, 0)
    assert progress.failures_by_reason(run) == {}
    assert not Batch.objects.filter(run=run, failed__lt=0).exists()
    assert invariants.breached() == {}


def test_a_repaired_row_goes_through_the_later_steps(start, wallets, workflow, maker, run_to_end):
    ids = wallets(30)
    workflow.refuses = {ids[0], ids[14]}
    run = run_to_end(start())
    workflow.refuses = set()
    control.retry_failed(run, reason_code="WalletNotUsable", actor=maker, reason="fixed")
    run = run_to_end(run)
    assert run.state == "succeeded"
    assert states() == {"held"}
    assert totals(run) == {"freeze": (30, 0), "hold": (30, 0)}
    assert invariants.breached() == {}


def test_a_retry_of_another_class_changes_nothing(start, wallets, workflow, maker, run_to_end):
    workflow.refuses = set(wallets(3)[:1])
    run = run_to_end(start())
    assert control.retry_failed(run, reason_code="sql_23514", actor=maker, reason="x") == 0
    assert fresh(run).state == "partially_failed"
