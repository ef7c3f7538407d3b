"""Runs: planned, approved, worked off in batches by anybody at any time, verified, and never twice."""

from __future__ import annotations

import datetime as dt
import threading
import time

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.db.models import Sum

from tests import factories
from tests.winddown import sweep
from wallets.models import Wallet, WalletTransition
from winddown.errors import (
    GuardNotMet,
    NotPermitted,
    RunBusy,
    TransitionRefused,
    UnknownWorkflow,
)
from winddown.evidence import invariants
from winddown.machines.move import transition_one, transition_set
from winddown.models import AuditEntry, Batch, Failure, Plan, Run, StepTotal, Worker
from winddown.runs import batches, control, failing, planning, progress, steps, waking, working

pytestmark = pytest.mark.usefixtures("programme")


@pytest.fixture(autouse=True)
def workflow():
    with sweep.registered() as registered:
        yield registered


@pytest.fixture
def maker(staff):
    return staff("incident_commander")


@pytest.fixture
def checker(staff):
    return staff("compliance")


@pytest.fixture
def start(maker, checker):
    """`start()` is a running run of the test's workflow, nothing of it done yet."""
    return lambda: factories.started_run("test-sweep", maker=maker, checker=checker)


def fresh(run):
    return Run.objects.get(pk=run.pk)


def states():
    return set(Wallet.objects.values_list("state", flat=True))


def totals(run):
    """Rows moved and failed per step, as sums over the batches."""
    rows = Batch.objects.filter(run=run).values("step").order_by("step")
    return {
        row["step"]: (row["all_moved"], row["all_failed"])
        for row in rows.annotate(all_moved=Sum("moved"), all_failed=Sum("failed"))
    }


def expire_leases():
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE winddown_batch SET lease_until = clock_timestamp() - interval '1 second'"
            " WHERE state = 'leased'"
        )


# --- the straight way ---------------------------------------------------------------------------


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
    """What arrives later is nobody's gap and nobody's surplus."""
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


def test_estimates_are_shown_and_not_approved(maker, wallets):
    """Customers go on changing them until the run starts."""
    wallets(3)
    run = planning.plan("test-sweep", actor=maker, reason="r")
    before = run.plan_digest
    factories.bring_to(factories.make_wallet(), "held")
    again = planning.replan(run, actor=maker, reason="r")
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
    with pytest.raises(UnknownWorkflow, match="known are .*freeze-charges"):
        planning.plan("melt-charges", actor=maker, reason="x")


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
        planning.plan("test-sweep", actor=maker, reason="again")
    assert busy.value.facts["run"] == run.pk
    with pytest.raises(DatabaseError, match="one_active_run_per_workflow"), transaction.atomic():
        Run.objects.create(
            workflow="test-sweep", maker=maker, reason="x", requested_at=run.requested_at
        )
    run_to_end(run)
    assert planning.plan("test-sweep", actor=maker, reason="again").state == "awaiting_approval"


def test_a_second_run_finds_nothing_to_do_and_says_so(start, wallets, maker, checker, run_to_end):
    """Rule 4."""
    wallets(12)
    run_to_end(start())
    again = run_to_end(start())
    assert (again.state, progress.moved(again)) == ("succeeded", {})
    assert WalletTransition.objects.count() == 24


def test_every_control_takes_its_permission(start, staff, maker, wallets):
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


def test_a_batch_claimed_before_the_pause_gives_it_back(start, wallets, maker, workflow):
    """Rule 62: also when the pause comes between the claim and the work."""
    wallets(20)
    run = start()
    claim = batches.claim(run.pk, "me")
    control.pause(run, actor=maker, reason="wait")
    working._do(claim, "me")
    claim = Batch.objects.get(pk=claim.pk)
    assert (claim.state, claim.attempts, claim.lease_until) == ("waiting", 0, None)
    assert (workflow.applied, states()) == (0, {"active"})


def test_an_aborted_run_keeps_what_it_did_and_does_no_more(start, wallets, maker):
    wallets(30)
    run = start()
    working.work(run.pk, batches_max=1)
    control.pause(run, actor=maker, reason="wait")
    assert control.abort(run, actor=maker, reason="enough").state == "aborted"
    assert working.work(run.pk) == 0
    assert Wallet.objects.filter(state="charge_frozen").count() == 10
    with pytest.raises(TransitionRefused):
        control.resume(run, actor=maker, reason="oh")


def test_an_abort_leaves_what_is_under_way(start, wallets, maker, workflow):
    """The remainder is cancelled while a batch is being done: that batch ends, and no other begins."""
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
    """Never faster than asked: the lower bound of the time cannot be missed by a slow machine."""
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


def test_a_rate_slower_than_one_batch_in_five_seconds_is_held(start, wallets, maker):
    """A worker does not sleep through a long wait: it comes back, and the batch is still not due."""
    wallets(20)
    run = start()
    control.set_rate(run, rows_s_max=1, actor=maker, reason="very gently")
    began = time.monotonic()
    working.work(run.pk, seconds_max=7)
    assert totals(run)["freeze"] == (10, 0), f"after {time.monotonic() - began:.0f} s"


def test_the_rate_is_lifted_while_the_run_is_on(start, wallets, maker, run_to_end):
    wallets(20)
    run = start()
    control.set_rate(run, rows_s_max=1, actor=maker, reason="gently")
    working.work(run.pk, batches_max=1)
    control.set_rate(run, rows_s_max=None, actor=maker, reason="now")
    assert run_to_end(run).state == "succeeded"
    assert AuditEntry.objects.filter(action="run.rate").count() == 2


def test_a_rate_is_positive(start, maker):
    with pytest.raises(DatabaseError, match="rate_is_positive"), transaction.atomic():
        control.set_rate(start(), rows_s_max=0, actor=maker, reason="x")


# --- rows that fail -----------------------------------------------------------------------------


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


def test_a_row_the_database_refuses_is_parked_with_its_code(start, wallets, workflow, run_to_end):
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


def test_a_few_failures_do_not_break_the_circuit(start, wallets, workflow, run_to_end):
    ids = wallets(60)
    workflow.refuses = set(ids[:19])
    run = run_to_end(start())
    assert run.state == "partially_failed"
    assert totals(run)["freeze"] == (41, 19)


def test_failures_of_a_class_are_tried_again(start, wallets, workflow, maker, run_to_end):
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


def test_a_row_that_is_mended_goes_through_the_later_steps_too(
    start, wallets, workflow, maker, run_to_end
):
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


# --- workers that die ---------------------------------------------------------------------------


def test_a_lease_is_claimed_by_one_worker_at_a_time(start, wallets):
    wallets(10)
    run = start()
    assert batches.claim(run.pk, "one") is not None
    assert batches.claim(run.pk, "other") is None


def test_one_claim_takes_one_batch_also_of_a_table_that_was_analysed_empty(start, wallets):
    """The planner then takes it for one row, and would run a mere subquery once per row of it."""
    wallets(50)
    run = start()
    made = list(Batch.objects.all())
    Batch.objects.all().delete()
    with connection.cursor() as cursor:
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
    """The fencing token decides, not the clock of the worker."""
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


def test_a_worker_at_work_is_not_overtaken_though_its_lease_has_run_out(
    own_database, start, wallets, workflow
):
    """The batch's row stays locked while it is worked on, so a second worker passes it by."""
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
    """Nobody survives to report it: the lease runs out, the batch is split, the row stands alone."""
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


def test_attempts_are_counted_before_the_work_and_survive_it(start, wallets, workflow):
    """A counter that rolled back with the attempt would never stop a poison row."""
    wallets(10)
    run = start()
    claim = batches.claim(run.pk, "mortal")

    def fall(batch, rows):
        raise KeyError("a mistake of ours")

    workflow.before = fall
    with pytest.raises(KeyError):
        working._do(claim, "mortal")
    assert Batch.objects.get(pk=claim.pk).attempts == 1


def test_a_worker_is_seen_and_an_unattended_run_is_an_alarm(start, wallets):
    wallets(10)
    run = start()
    assert waking.unattended() == [f"test-sweep run {run.pk}: no worker for 60 s"]
    with pytest.raises(SystemExit):
        call_command("watchdog")
    working.work(run.pk, worker="me", batches_max=1)
    assert Worker.objects.get(name="me").run_id == run.pk
    assert waking.unattended() == []
    Worker.objects.update(seen_at=waking.real_now() - dt.timedelta(seconds=61))
    assert len(waking.unattended()) == 1


def test_a_worker_that_stops_in_time_leaves_nothing_leased(start, wallets):
    wallets(40)
    run = start()
    working.work(run.pk, batches_max=2)
    assert not Batch.objects.filter(state="leased").exists()
    assert not Batch.objects.filter(state="waiting", attempts__gt=0).exists()


def test_ctrl_c_undoes_the_batch_at_hand_and_nobody_waits_for_its_lease(
    start, wallets, workflow, run_to_end
):
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


def test_without_any_broker_everything_is_worked_off(start, wallets, capsys):
    """Fault 11: `manage.py drain` alone completes what is owed."""
    wallets(25)
    run = start()
    call_command("drain")
    assert fresh(run).state == "succeeded"
    assert "succeeded" in capsys.readouterr().out
    call_command("drain")
    assert "Nothing was owed" in capsys.readouterr().out


# --- looking ------------------------------------------------------------------------------------


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
    run = planning.plan("test-sweep", actor=maker, reason="x")
    with pytest.raises(TransitionRefused):
        control.pause(run, actor=maker, reason="x")
    with pytest.raises((GuardNotMet, TransitionRefused)):
        control.retry_failed(run, reason_code="x", actor=maker, reason="x") or (
            transition_one(run, "retry", actor=maker)
        )
