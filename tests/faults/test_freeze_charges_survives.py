"""A freeze ends after a stop of its workers, after the loss of everything, and after strange
messages.
"""

from __future__ import annotations

import json
import os
import signal

import pytest
from django.db.models import Count, Sum
from kombu import Connection

from config.environment import broker_from_url
from tests import factories
from tests.faults import kills, wind_down
from tests.faults.conftest import command, wait_until
from wallets.models import TopUp, TopUpTransition, Wallet, WalletTransition
from wallets.movements import charging
from winddown.actors import SYSTEM
from winddown.evidence import invariants
from winddown.models import Batch, Run, RunTransition
from winddown.runs import progress, waking

WALLETS = 400
AUTHORISED = 16
STEP = "freeze_wallets"

pytestmark = pytest.mark.faults


# --- faults -------------------------------------------------------------------------------------


def to_the_broker_of(fleet):
    return Connection(
        broker_from_url(fleet.broker.url), transport_options={"global_keyprefix": "wd:"}
    )


def fifty_wake_ups_come_at_once(fleet, database):
    from config.celery import app

    run = Run.objects.get()
    with to_the_broker_of(fleet) as link:
        for _ in range(50):
            app.send_task(waking.DRAIN, args=[run.pk], queue="freeze-charges", connection=link)


def strange_messages_come(fleet, database):
    """Of an unknown task, with a run that is not there, and in a format that is not accepted."""
    from config.celery import app

    with to_the_broker_of(fleet) as link:
        for queue in ("default", "freeze-charges"):
            app.send_task("winddown.unheard_of", args=[1], queue=queue, connection=link)
            app.send_task(waking.DRAIN, args=[424242], queue=queue, connection=link)
            app.send_task(waking.DRAIN, args=["x", {}, None], queue=queue, connection=link)
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
    kills.the_worker_is_told_to_stop,
    kills.everything_is_killed,
    pytest.param(fifty_wake_ups_come_at_once, marks=pytest.mark.long_form),
    strange_messages_come,
]


# --- the run ------------------------------------------------------------------------------------


@pytest.fixture
def gate(own_database):
    with wind_down.gate(own_database) as gate:
        yield gate


@pytest.fixture
def freeze(own_database, programme, wallets, staff, gate, fleet):
    """A freeze of four hundred wallets is under way: two batches are done, and two are being done."""
    wind_down.cut_batches_small()
    ids = wallets(WALLETS, paid_minor=100)
    for number, pk in enumerate(ids[:AUTHORISED]):
        charging.top_up(
            pk,
            source="points",
            amount_minor=3,
            top_up_ref=f"t{number}",
            actor=SYSTEM,
            authorised_only=True,
        )
    gate.shut(STEP)
    maker, checker = staff("incident_commander"), staff("compliance")
    run = factories.started_run("freeze-charges", maker=maker, checker=checker)
    wait_until(lambda: gate.stands_before(run, STEP), f"{STEP}: {fleet.said()}")
    wind_down.refuse_unless_in_the_middle(run, STEP)
    return run


def go_on(gate):
    gate.open(STEP)
    gate.let_leases_run_out()


def judge(run, fleet):
    """The run ended as if nothing had happened."""
    wait_until(lambda: Run.objects.get(pk=run.pk).state != "running", fleet.said() or "an end")
    ended = Run.objects.get(pk=run.pk)
    assert ended.state == "succeeded", fleet.said()
    assert progress.moved(ended) == {
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
def test_a_freeze_finishes_by_itself_after_a_fault(fault, own_database, freeze, fleet, gate):
    """Faults 3, 5, 8, 12 and 14: the fault hits in the middle of a batch."""
    fault(fleet, own_database)
    go_on(gate)
    judge(freeze, fleet)


def test_drain_alone_finishes_a_freeze_without_broker_and_workers(
    own_database, freeze, fleet, gate
):
    """Fault 11: `manage.py drain` alone completes everything."""
    os.killpg(fleet.worker.pid, signal.SIGKILL)
    fleet.kill(fleet.beat.pid)
    fleet.broker.kill()
    go_on(gate)
    command(fleet, "drain")
    judge(freeze, fleet)
    assert json.loads(command(fleet, "verify", "--json"))["breached"] == {}


def test_a_stop_takes_effect_without_a_broker(own_database, freeze, fleet, gate, staff):
    """Fault 10: a stop by a person does not wait for a broker."""
    fleet.broker.kill()
    who = ("--by", staff("incident_commander").login_id, "--reason", "look first")
    command(fleet, "freeze_charges", "--pause", *who)
    assert Run.objects.get(pk=freeze.pk).state == "paused"
    fleet.broker.start()
    go_on(gate)
    command(fleet, "freeze_charges", "--resume", *who)
    judge(freeze, fleet)
