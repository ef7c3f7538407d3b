"""A worker that dies loses its lease, and another one does its work."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from django.core.management import call_command
from django.db import connection

from tests.owning import as_owner
from tests.winddown.runs.states import expire_leases, fresh, states, totals
from wallets.models import WalletTransition
from winddown.machines.move import transition_set
from winddown.models import Batch, Failure, Worker
from winddown.runs import batches, failing, steps, waking, working

pytestmark = pytest.mark.usefixtures("programme", "workflow")


def test_a_lease_is_claimed_by_one_worker_at_a_time(start, wallets):
    wallets(10)
    run = start()
    assert batches.claim(run.pk, "one") is not None
    assert batches.claim(run.pk, "other") is None


def test_a_claim_takes_one_batch_after_the_table_was_analysed_empty(start, wallets):
    """The query planner then expects one row, and would run a plain subquery once for each row."""
    wallets(50)
    run = start()
    made = list(Batch.objects.all())
    with as_owner(), connection.cursor() as cursor:
        Batch.objects.all().delete()
        cursor.execute("ANALYZE winddown_batch")
    Batch.objects.bulk_create(made)
    assert batches.claim(run.pk, "me") is not None
    assert Batch.objects.filter(state="leased").count() == 1


def test_an_expired_lease_is_claimed_again_under_a_higher_token(start, wallets, run_to_end):
    wallets(10)
    run = start()
    dead = batches.claim(run.pk, "dead")
    expire_leases()
    other = batches.claim(run.pk, "other")
    assert (other.pk, other.token, other.attempts) == (dead.pk, dead.token + 1, 2)


def test_a_worker_that_lost_its_lease_changes_nothing(start, wallets, workflow):
    """The fencing token decides, not the worker's clock."""
    wallets(10)
    run = start()
    slow = batches.claim(run.pk, "slow")
    expire_leases()
    quick = batches.claim(run.pk, "quick")
    working._do(slow, "slow")
    assert (workflow.applied, states()) == (0, {"active"})
    working._do(quick, "quick")
    assert totals(run)["freeze"] == (10, 0)
    for late in (working._do, failing.one_by_one, failing.isolate, batches.put_back):
        late(slow) if late is not working._do else late(slow, "slow")
    assert totals(run)["freeze"] == (10, 0)
    assert WalletTransition.objects.count() == 10
    assert not Failure.objects.exists()


def test_a_working_worker_keeps_its_batch_after_its_lease_expired(
    own_database, start, wallets, workflow
):
    """The batch's row stays locked during the work, so a second worker skips it."""
    wallets(10)
    run = start()
    at_work, go_on = threading.Event(), threading.Event()

    def hold(batch, rows):
        at_work.set()
        assert go_on.wait(60)

    workflow.before = hold

    def slow():
        try:
            working.work(run.pk, batches_max=1)
        finally:
            connection.close()

    thread = threading.Thread(target=slow)
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '10s'")
    batches.LEASE_S, lease_s = 0, batches.LEASE_S
    try:
        thread.start()
        assert at_work.wait(60)
        assert batches.claim(run.pk, "second") is None
    finally:
        batches.LEASE_S = lease_s
        go_on.set()
        thread.join()
    assert totals(run)["freeze"] == (10, 0)
    assert WalletTransition.objects.count() == 10


def test_a_row_that_kills_its_workers_is_found_and_parked(start, wallets, workflow, run_to_end):
    """No worker survives to report it: the lease expires, and the batch is split until the row is
    alone.
    """
    ids = wallets(20)
    poison = ids[13]
    deaths = 0
    run = start()
    claim = None
    for _ in range(200):
        claim = claim or batches.claim(run.pk, "mortal")
        if claim is None:
            if not steps.advance(run.pk):
                break
            continue
        fatal = claim.step == "freeze" and claim.first_id <= poison <= claim.last_id
        if fatal and claim.attempts <= failing.ATTEMPTS_MAX:
            deaths += 1
            expire_leases()
            claim = None
            continue
        claim = working._do(claim, "mortal")
    assert deaths < 10
    failure = Failure.objects.get(run=run)
    assert (failure.subject_id, failure.reason_code) == (poison, "worker_died")
    assert totals(run)["freeze"] == (19, 1)
    assert fresh(run).state == "partially_failed"


@pytest.mark.parametrize(
    "ended_by",
    [
        ["SET LOCAL ROLE NONE", "SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(60)"],
        ["SET LOCAL statement_timeout = '50ms'", "SELECT pg_sleep(60)"],
    ],
    ids=["cancel", "timeout"],
)
def test_a_statement_that_is_cancelled_again_and_again_parks_no_row(
    own_database, start, wallets, workflow, run_to_end, monkeypatch, ended_by
):
    """A cancel by another session and the time limit have the same SQLSTATE."""
    monkeypatch.setattr(batches, "PUT_OFF_S", 0.001)
    wallets(20)
    run, cancelled = start(), []

    def cancel(batch, rows):
        if len(cancelled) < 3 * failing.ATTEMPTS_MAX:
            cancelled.append(batch.pk)
            with connection.cursor() as cursor:
                for statement in ended_by:
                    cursor.execute(statement)

    workflow.before = cancel
    run_to_end(run)
    assert fresh(run).state == "succeeded"
    assert not Failure.objects.exists()
    assert totals(run) == {"freeze": (20, 0), "hold": (20, 0)}
    held_up = Batch.objects.filter(stalls__gt=0)
    assert sum(held_up.values_list("stalls", flat=True)) == len(cancelled)
    assert set(held_up.values_list("stalled_by", flat=True)) == {"statement_canceled"}
    assert not Batch.objects.filter(state="split").exists()


def test_an_attempt_is_counted_before_the_work_and_survives_its_rollback(start, wallets, workflow):
    """A counter that is rolled back with the attempt would never stop a poison row."""
    wallets(10)
    run = start()
    claim = batches.claim(run.pk, "mortal")

    def fall(batch, rows):
        raise SystemExit

    workflow.before = fall
    with pytest.raises(SystemExit):
        working._do(claim, "mortal")
    assert Batch.objects.get(pk=claim.pk).attempts == 1


def test_a_worker_is_recorded_and_a_run_without_one_raises_an_alarm(start, wallets):
    wallets(10)
    run = start()
    assert waking.unattended() == [run]
    with pytest.raises(SystemExit) as alarm:
        call_command("watchdog")
    assert alarm.value.code == 3
    working.work(run.pk, worker="me", batches_max=1)
    assert Worker.objects.get(name="me").run_id == run.pk
    assert waking.unattended() == []
    Worker.objects.update(seen_at=waking.real_now() - dt.timedelta(seconds=61))
    assert len(waking.unattended()) == 1


def test_a_worker_that_stops_leaves_no_batch_leased(start, wallets):
    wallets(40)
    run = start()
    working.work(run.pk, batches_max=2)
    assert not Batch.objects.filter(state="leased").exists()
    assert not Batch.objects.filter(state="waiting", attempts__gt=0).exists()


def test_ctrl_c_rolls_the_batch_back_and_frees_its_lease(start, wallets, workflow, run_to_end):
    wallets(20)
    run = start()

    def interrupt(batch, rows):
        transition_set(rows, "freeze_charges", run=run)
        raise KeyboardInterrupt

    workflow.before = interrupt
    with pytest.raises(KeyboardInterrupt):
        working.work(run.pk)
    assert states() == {"active"}
    assert not Batch.objects.exclude(state="waiting", attempts=0).exists()
    workflow.before = lambda batch, rows: None
    run_to_end(run)
    assert fresh(run).state == "succeeded"


def test_drain_works_a_run_off_without_a_broker(start, wallets, capsys):
    """Fault 11: `manage.py drain` alone moves all rows."""
    wallets(25)
    run = start()
    call_command("drain")
    assert fresh(run).state == "succeeded"
    assert "succeeded" in capsys.readouterr().out
    call_command("drain")
    assert "Nothing was owed" in capsys.readouterr().out
