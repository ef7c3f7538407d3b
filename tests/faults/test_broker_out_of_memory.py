"""A broker without memory refuses every message: no row fails, and every worker continues later."""

from __future__ import annotations

import os
import signal

import pytest
from kombu import Connection

from config.celery import app
from config.environment import broker_from_url
from tests.faults.conftest import wait_until
from tests.owning import as_owner
from winddown.models import Worker
from winddown.runs import clockwork, waking

REFUSED = "command not allowed when used memory > 'maxmemory'"

pytestmark = pytest.mark.faults


def test_workers_continue_after_the_broker_ran_out_of_memory(own_database, programme, fleet):
    ticked = Worker.objects.filter(name=clockwork.TICK)
    wait_until(ticked.exists, fleet.said())
    link = Connection(
        broker_from_url(fleet.broker.url), transport_options={"global_keyprefix": "wd:"}
    )
    broker = fleet.broker.client()
    with link:
        # The worker finds messages that it can take from the queue but cannot note as taken.
        os.kill(fleet.worker.pid, signal.SIGSTOP)
        for _ in range(5):
            app.send_task(waking.DRAIN, args=[424242], queue="default", connection=link)
        broker.config_set("maxmemory", "1")
        os.kill(fleet.worker.pid, signal.SIGCONT)
        wait_until(lambda: REFUSED in fleet.said_by("worker"), "the broker refuses the worker")
        wait_until(lambda: REFUSED in fleet.said_by("beat"), "the broker refuses beat")
        broker.config_set("maxmemory", "0")
    with as_owner():
        ticked.delete()
    wait_until(ticked.exists, fleet.said())
    assert fleet.worker.poll() is None, fleet.said()
    assert fleet.beat.poll() is None, fleet.said()
