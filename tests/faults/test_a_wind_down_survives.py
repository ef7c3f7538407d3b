"""A run finishes by itself with the same totals, and does nothing twice, after any process was
killed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import factories
from tests.conftest import Database, fresh_database
from tests.faults import kills, wind_down
from tests.faults.conftest import Fleet, command, wait_until
from tests.faults.kills import Fault
from tests.faults.wind_down import CHAPTERS, Chapter, Gate, WindDown
from wallets.movements import spending
from winddown.actors import SYSTEM
from winddown.errors import PastDeadline
from winddown.models import Milestone, Run
from winddown.runs import clockwork

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

FAULTS = [
    kills.the_whole_worker_is_killed,
    kills.the_broker_is_killed,
    kills.beat_is_killed,
    kills.every_connection_is_cut,
    kills.pool_children_are_killed,
    kills.worker_main_is_killed,
    kills.the_broker_forgets_everything,
]
# The first loses the most. The others are milder, or are tried by other tests too.
CASES = [FAULTS[0], *(pytest.param(each, marks=pytest.mark.long_form) for each in FAULTS[1:])]


@pytest.fixture(scope="module")
def undisturbed(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Any]]:
    """Chapter -> figures of the twin to which nothing happened, worked off in this process."""
    found = {}
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock(), fresh_database(patch):
        place = wind_down.make_wind_down(tmp_path_factory.mktemp("undisturbed"))
        for chapter in CHAPTERS:
            run = chapter.begin(place)
            clockwork.tick()
            found[chapter.title] = wind_down.figures(factories.worked_off(run))
    return found


def hit(
    chapter: Chapter,
    fault: Fault,
    *,
    struck: tuple[str, ...],
    place: WindDown,
    gate: Gate,
    fleet: Fleet,
    database: Database,
) -> Run:
    """The chapter's run as it ended, after `fault` in the middle of each of the struck steps."""
    for step in struck:
        gate.shut(step)
    beat_is_out = (
        fault is kills.beat_is_killed and chapter.title == "shut-down-by-deadline" and bool(struck)
    )
    if beat_is_out:
        fleet.kill(fleet.beat.pid)
    run = chapter.begin(place)
    if beat_is_out:
        the_deadline_passes_by_itself(run, place)
        fleet.start_beat()
    sealed: dict[int, str] = {}
    for step in struck:
        wait_until(lambda step=step: gate.stands_before(run, step), f"{step}: {fleet.said()}")
        wind_down.refuse_unless_in_the_middle(run, step)
        sealed |= wind_down.sealed_files()
        fault(fleet, database)
        gate.open(step)
        wait_until(fleet.no_orphan_lives, f"{step}: {fleet.said()}")
        gate.let_leases_run_out()
    ended = wind_down.wait_for_the_end(run, fleet.said)
    assert sealed.items() <= wind_down.sealed_files().items()
    return ended


def the_deadline_passes_by_itself(run: Run, place: WindDown) -> None:
    """Nobody has fired the deadline, and nobody can pay."""
    assert Milestone.objects.get(kind="spend_ends").fired_at is None
    with pytest.raises(PastDeadline):
        spending.pay(
            place.wallets[0], amount_minor=1, merchant_ref="m", payment_ref="late", actor=SYSTEM
        )
    assert Run.objects.get(pk=run.pk).state == "approved"


@pytest.mark.parametrize("fault", CASES, ids=lambda fault: fault.__name__)
def test_a_wind_down_ends_as_its_undisturbed_twin_after_a_fault(
    fault: Fault,
    undisturbed: dict[str, Any],
    own_database: Database,
    fleet: Fleet,
    tmp_path: Path,
    long_form: bool,
) -> None:
    """Faults 1-3, 7-9, 18 and 24: the fault hits between done batches and waiting ones, while both
    slots stand inside a batch.

    The proof hits every chapter with every fault. Here every third chapter is hit, and the next two
    faults hit the others.
    """
    place = wind_down.make_wind_down(tmp_path)
    with wind_down.gate(own_database) as gate:
        for number, chapter in enumerate(CHAPTERS, FAULTS.index(fault)):
            ended = hit(
                chapter,
                fault,
                struck=chapter.struck if long_form or number % 3 == 0 else (),
                place=place,
                gate=gate,
                fleet=fleet,
                database=own_database,
            )
            expected = undisturbed[chapter.title]
            assert expected["run"][0] == "succeeded"
            assert expected["breached"] == {}
            assert wind_down.figures(ended) == expected, (chapter.title, fleet.said())
    assert json.loads(command(fleet, "verify", "--json"))["breached"] == {}
