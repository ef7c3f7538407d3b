"""Whatever dies in the middle of a freeze, it finishes by itself: nothing lost, nothing twice."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys

import pytest
from django.db.models import Count, Sum
from kombu import Connection

from config.environment import broker_from_url
from tests import factories
from tests.faults.conftest import ROOT, wait_until
from wallets.models import TopUp, TopUpTransition, Wallet, WalletTransition
from winddown import invariants, runner
from winddown.machines import SYSTEM
from winddown.models import Batch, Run, RunTransition

WALLETS = 20_000
AUTHORISED = 40
IN_THE_MIDDLE = 8_000

pytestmark = pytest.mark.faults


# --- faults -------------------------------------------------------------------------------------


def pool_child_is_killed(fleet, database):
    for pid in fleet.children():
        fleet.kill(pid)


def worker_main_is_killed(fleet, database):
    """Its children are orphans that may still finish what they do."""
    fleet.kill(fleet.worker.pid)
    fleet.start_worker()


def the_whole_worker_is_killed(fleet, database):
    os.killpg(fleet.worker.pid, signal.SIGKILL)
    fleet.start_worker()


def the_worker_is_told_to_stop(fleet, database):
    fleet.worker.terminate()
    fleet.start_worker()


def beat_is_killed(fleet, database):
    fleet.kill(fleet.beat.pid)
    fleet.start_beat()


def everything_is_killed(fleet, database):
    os.killpg(fleet.worker.pid, signal.SIGKILL)
    fleet.kill(fleet.beat.pid)
    fleet.broker.kill()
    fleet.broker.start()
    fleet.start_worker()
    fleet.start_beat()


def the_broker_is_killed(fleet, database):
    fleet.broker.kill()
    fleet.broker.start()


def the_broker_forgets_everything(fleet, database):
    fleet.broker.client().flushall()


def every_connection_is_cut(fleet, database):
    with database.connect() as psql:
        psql.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'winddown-worker'"
        )


def fifty_wake_ups_come_at_once(fleet, database):
    run = Run.objects.get()
    with Connection(
        broker_from_url(fleet.broker.url), transport_options={"global_keyprefix": "wd:"}
    ) as link:
        from config.celery import app

        for _ in range(50):
            app.send_task(runner.DRAIN, args=[run.pk], queue="freeze-charges", connection=link)


def strange_messages_come(fleet, database):
    """Of an unknown task, with a run that is not there, and in a format that is not accepted."""
    with Connection(
        broker_from_url(fleet.broker.url), transport_options={"global_keyprefix": "wd:"}
    ) as link:
        from config.celery import app

        for queue in ("default", "freeze-charges"):
            app.send_task("winddown.unheard_of", args=[1], queue=queue, connection=link)
            app.send_task(runner.DRAIN, args=[424242], queue=queue, connection=link)
            app.send_task(runner.DRAIN, args=["x", {}, None], queue=queue, connection=link)
        producer = link.Producer(serializer="pickle")
        producer.publish({"task": "os.system"}, routing_key="freeze-charges", exchange="")
        producer.publish(
            b"\x00\xff junk",
            routing_key="freeze-charges",
            exchange="",
            content_type="application/data",
            content_encoding="binary",
        )


FAULTS = [
    pool_child_is_killed,
    worker_main_is_killed,
    the_whole_worker_is_killed,
    the_worker_is_told_to_stop,
    beat_is_killed,
    everything_is_killed,
    the_broker_is_killed,
    the_broker_forgets_everything,
    every_connection_is_cut,
    fifty_wake_ups_come_at_once,
    strange_messages_come,
]


# --- the run ------------------------------------------------------------------------------------


@pytest.fixture
def freeze(own_database, programme, wallets, staff):
    """A freeze of twenty thousand wallets is running, at a rate that leaves time to hit it."""
    ids = wallets(WALLETS, paid_minor=100)
    from wallets import movements

    for number, pk in enumerate(ids[:AUTHORISED]):
        movements.top_up(
            pk,
            source="points",
            amount_minor=3,
            top_up_ref=f"t{number}",
            actor=SYSTEM,
            authorised_only=True,
        )
    maker, checker = staff("incident_commander"), staff("compliance")
    run = factories.started_run("freeze-charges", maker=maker, checker=checker)
    runner.set_rate(run, rows_s_max=6_000, actor=maker, reason="leave time to hit it")
    return run


@contextlib.contextmanager
def a_batch_stuck(database, pk):
    """Inside, the batch with this wallet is in the midst of its transaction and cannot go on."""
    with database.connect() as psql, database.connect() as looking, psql.transaction():
        psql.execute("SELECT FROM wallets_wallet WHERE id = %s FOR UPDATE", [pk])
        wait_until(
            lambda: looking.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND wait_event_type = 'Lock' AND application_name = 'winddown-worker'"
            ).fetchone()[0],
            "a worker stands in the middle of a batch",
        )
        yield


def let_leases_run_out(database):
    """The twenty seconds of a lease pass at once, for the living and the dead."""
    with database.connect() as psql:
        psql.execute(
            "UPDATE winddown_batch SET lease_until = lease_until - interval '20 seconds'"
            " WHERE state = 'leased'"
        )


def judge(run, fleet):
    """The run ended as if nothing had happened."""
    wait_until(lambda: Run.objects.get(pk=run.pk).state != "running", fleet.said() or "an end")
    ended = Run.objects.get(pk=run.pk)
    assert ended.state == "succeeded", fleet.said()
    assert runner.moved(ended) == {
        "withhold_authorised_top_ups": AUTHORISED,
        "freeze_wallets": WALLETS,
    }
    frozen = WalletTransition.objects.filter(transition="freeze_charges", run_id=run.pk)
    assert frozen.aggregate(n=Count("pk"), who=Count("subject_id", distinct=True)) == {
        "n": WALLETS,
        "who": WALLETS,
    }
    assert TopUpTransition.objects.filter(transition="withhold").count() == AUTHORISED
    assert set(TopUp.objects.values_list("state", flat=True)) == {"pending_reversal"}
    assert Wallet.objects.filter(state="charge_frozen").aggregate(
        n=Count("pk"), paid=Sum("paid_minor")
    ) == {"n": WALLETS, "paid": WALLETS * 100}
    assert not Batch.objects.exclude(state__in=["done", "split"]).exists()
    assert RunTransition.objects.filter(subject_id=run.pk, target="succeeded").count() == 1
    assert invariants.breached() == {}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_freeze_finishes_by_itself_though(fault, own_database, freeze, fleet):
    """RELIABILITY, faults 1-14 and 24: the fault hits in the middle of a batch."""
    middle = Wallet.objects.order_by("pk")[IN_THE_MIDDLE].pk
    with a_batch_stuck(own_database, middle):
        fault(fleet, own_database)
    let_leases_run_out(own_database)
    judge(freeze, fleet)


def command(fleet, *words):
    """`manage.py` as a process of its own; returns what it printed."""
    ran = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=fleet.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_a_freeze_ends_in_one_process_when_broker_and_workers_are_gone(own_database, freeze, fleet):
    """RELIABILITY, fault 11: `manage.py drain` alone completes everything."""
    middle = Wallet.objects.order_by("pk")[IN_THE_MIDDLE].pk
    with a_batch_stuck(own_database, middle):
        os.killpg(fleet.worker.pid, signal.SIGKILL)
        fleet.kill(fleet.beat.pid)
        fleet.broker.kill()
    let_leases_run_out(own_database)
    command(fleet, "drain")
    judge(freeze, fleet)
    assert json.loads(command(fleet, "verify", "--json"))["breached"] == {}


def test_a_stop_passes_though_the_broker_is_gone(own_database, freeze, fleet, staff):
    """RELIABILITY, fault 10: a person's act does not wait for a broker."""
    fleet.broker.kill()
    who = ("--by", staff("incident_commander").login_id, "--reason", "look first")
    command(fleet, "freeze_charges", "--pause", *who)
    assert Run.objects.get(pk=freeze.pk).state == "paused"
    fleet.broker.start()
    command(fleet, "freeze_charges", "--resume", *who)
    judge(freeze, fleet)
