"""A short outage makes a run longer. It parks no row, and the run ends as if nothing had happened.

`make test` lets each outage last a moment, all in one wind-down. The proof line `outages` lets each
of them last as long as its name says, in a wind-down of its own, and prints the times.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Database
from tests.faults import wind_down
from tests.faults.conftest import Broker, Fleet, wait_until
from tests.faults.kills import every_connection_is_cut
from tests.faults.wind_down import CHAPTERS, Chapter
from winddown.models import Batch, Failure, Run
from winddown.runs import clocks, registry

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]

STRUCK = ("freeze-charges", "reset-all-passwords", "refund-balances entitle", "refund-balances pay")
CUTS_BETWEEN_S = 0.2
CLOCK_AHEAD = Path(__file__).parent / "host_clock_ahead"

Outage = Callable[[Run, Fleet, Database], AbstractContextManager[None]]


@contextlib.contextmanager
def _nothing(run: Run, fleet: Fleet, database: Database) -> Iterator[None]:
    yield


def _row_is_locked(seconds: float) -> Outage:
    """Another session locks the last row of the step for so long."""

    @contextlib.contextmanager
    def outage(run: Run, fleet: Fleet, database: Database) -> Iterator[None]:
        rows = registry.get(run.workflow).step(run, run.step).rows(run)
        row, table = rows.order_by("-pk")[0].pk, rows.model._meta.db_table
        with database.connect() as psql:
            psql.execute("BEGIN")
            psql.execute(f"SELECT FROM {table} WHERE id = %s FOR UPDATE", [row])
            release = threading.Timer(seconds, psql.execute, ["COMMIT"])
            release.start()
            yield
            release.join()

    return outage


def _connections_are_cut(times: int) -> Outage:
    """The workers' connections are cut so often, five times a second."""

    @contextlib.contextmanager
    def outage(run: Run, fleet: Fleet, database: Database) -> Iterator[None]:
        def cut() -> None:
            for _ in range(times):
                every_connection_is_cut(fleet, database)
                time.sleep(CUTS_BETWEEN_S)

        cutting = threading.Thread(target=cut)
        cutting.start()
        yield
        cutting.join()

    return outage


@contextlib.contextmanager
def _worker_is_stopped(run: Run, fleet: Fleet, database: Database) -> Iterator[None]:
    """The worker is stopped inside its batches. Another host works on, and the first wakes up later."""
    stopped = fleet.worker.pid
    os.killpg(stopped, signal.SIGSTOP)
    fleet.start_worker()
    yield
    os.killpg(stopped, signal.SIGCONT)
    os.kill(stopped, signal.SIGTERM)


def _ends(
    chapter: Chapter,
    outage: Outage,
    *,
    place: wind_down.WindDown,
    fleet: Fleet,
    database: Database,
) -> float:
    """The chapter's run met the outage in the middle of its first step, and ended as it should.
    Returns the seconds from there to its end.
    """
    step = chapter.struck[0]
    with wind_down.gate(database) as gate:
        gate.shut(step)
        run = chapter.begin(place)
        wait_until(lambda: gate.stands_before(run, step), f"{step}: {fleet.said()}")
        wind_down.refuse_unless_in_the_middle(run, step)
        run = Run.objects.get(pk=run.pk)
        begun = time.monotonic()
        with outage(run, fleet, database):
            gate.open(step)
            ended = wind_down.wait_for_the_end(run, fleet.said)
            seconds = time.monotonic() - begun
    assert ended.state == Run.State.SUCCEEDED, (chapter.title, fleet.said())
    assert not Failure.objects.exists()
    assert not Batch.objects.filter(state=Batch.State.SPLIT).exists()
    figures = wind_down.figures(ended)
    assert figures["breached"] == {}
    return seconds


def _wind_down(
    outages: dict[str, Outage], *, directory: Path, fleet: Fleet, database: Database
) -> tuple[dict[str, float], dict[str, Any]]:
    """Each run of the wind-down met its outage. Returns their seconds, and how all stands at the
    end.
    """
    place = wind_down.make_wind_down(directory)
    took = {
        chapter.title: _ends(
            chapter,
            outages.get(chapter.title, _nothing),
            place=place,
            fleet=fleet,
            database=database,
        )
        for chapter in CHAPTERS
    }
    return took, wind_down.figures(Run.objects.latest("pk"))


@pytest.fixture
def fleet_ahead(own_database: Database, broker: Broker, tmp_path: Path) -> Iterator[Fleet]:
    """Worker and beat run on a host whose clock is 40 s ahead of the database's."""
    environment = own_database.environment | {"PYTHONPATH": str(CLOCK_AHEAD)}
    fleet = Fleet(environment=environment, broker=broker, logs=tmp_path)
    try:
        fleet.start_worker()
        fleet.start_beat()
        yield fleet
    finally:
        fleet.end()


def test_short_outages_on_a_host_with_a_wrong_clock_park_nothing(
    fleet_ahead: Fleet, own_database: Database, tmp_path: Path
) -> None:
    lasting = dict(
        zip(
            STRUCK,
            (
                _row_is_locked(2),
                _connections_are_cut(5),
                _connections_are_cut(10),
                _row_is_locked(2),
            ),
            strict=True,
        )
    )
    _wind_down(lasting, directory=tmp_path, fleet=fleet_ahead, database=own_database)
    # What the question to the database takes is not counted as a difference.
    assert 30 < clocks.off()[socket.gethostname()] <= 40


PROVED: dict[str, Outage] = {
    "one row locked for 40 s": _row_is_locked(40),
    "five cut connections": _connections_are_cut(5),
    "20 s of cut connections": _connections_are_cut(round(20 / CUTS_BETWEEN_S)),
    "a stopped worker": _worker_is_stopped,
}
EVERY = ["quiet", *PROVED, "a clock that is 40 s ahead"]
_stood: dict[str, Any] = {}


@pytest.mark.parametrize("name", EVERY)
def test_each_outage_costs_time_and_nothing_else(
    name: str, long_form: bool, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """The first wind-down is the quiet one; the others end with its figures."""
    if not long_form:
        pytest.skip("a line of the proof: make proof ARGS=outages")
    fleet = request.getfixturevalue("fleet_ahead" if "clock" in name else "fleet")
    database = request.getfixturevalue("own_database")
    outages = dict.fromkeys(STRUCK, PROVED.get(name, _nothing))
    took, stood = _wind_down(outages, directory=tmp_path, fleet=fleet, database=database)
    told = ", ".join(f"{title} {took[title]:.1f} s" for title in STRUCK)
    print(f"\nproof: {name}: {told}")
    assert stood == _stood.setdefault("quiet", stood)
