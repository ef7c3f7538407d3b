"""What can die while a run is under way. It is started again, as a process manager does it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from tests.conftest import Database
from tests.faults.conftest import Fleet

Fault = Callable[[Fleet, Database], None]


def pool_children_are_killed(fleet: Fleet, database: Database) -> None:
    for child in fleet.children():
        fleet.kill(child.pid)


def worker_main_is_killed(fleet: Fleet, database: Database) -> None:
    """Its children are orphans. They may finish their work and take another batch before they
    notice.
    """
    fleet.orphans = fleet.children()
    fleet.kill(fleet.worker.pid)
    fleet.start_worker()


def the_whole_worker_is_killed(fleet: Fleet, database: Database) -> None:
    os.killpg(fleet.worker.pid, signal.SIGKILL)
    fleet.start_worker()


def the_worker_is_told_to_stop(fleet: Fleet, database: Database) -> None:
    fleet.worker.terminate()
    fleet.start_worker()


def beat_is_killed(fleet: Fleet, database: Database) -> None:
    fleet.kill(fleet.beat.pid)
    fleet.start_beat()


def the_broker_is_killed(fleet: Fleet, database: Database) -> None:
    fleet.broker.kill()
    fleet.broker.start()


def the_broker_forgets_everything(fleet: Fleet, database: Database) -> None:
    fleet.broker.client().flushall()


def every_connection_is_cut(fleet: Fleet, database: Database) -> None:
    with database.connect("none") as psql:
        psql.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'winddown-worker'"
        )


def everything_is_killed(fleet: Fleet, database: Database) -> None:
    os.killpg(fleet.worker.pid, signal.SIGKILL)
    fleet.kill(fleet.beat.pid)
    fleet.broker.kill()
    fleet.broker.start()
    fleet.start_worker()
    fleet.start_beat()
