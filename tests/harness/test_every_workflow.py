"""What every registered workflow must show, without a test of its own.

A new workflow is found by its registration. If it needs more than the world that all share, it has
an entry in tests/harness/worlds.py.
"""

from __future__ import annotations

import os
import signal

import psycopg
import pytest
from django.db import connection, connections

from tests.conftest import fresh_database
from tests.harness import figures, tampering
from tests.harness.conftest import Scene, let_leases_run_out, undone, why_it_ended
from tests.harness.tampering import Deaths, Point, RowRefused, tampered
from winddown.errors import WinddownError
from winddown.models import Batch, Failure, Plan, Run
from winddown.runs import batches, control, leases, progress, registry, steps, working
from winddown.runs.stalls import Cause


def test_the_world_of_a_workflow_has_rows_for_each_step(scene: Scene) -> None:
    """Otherwise the tests below would pass because there was nothing to do."""
    run = scene.start()
    content = Plan.objects.get(run=run).content
    planned = [*content["counts"].values(), *content["estimates"].values()]
    assert sum(planned) > 0, (
        f"{scene.case} plans no row: add to tests/harness/worlds.py what it needs"
    )
    without = [step for step, rows in scene.steps.items() if not rows]
    assert not without, (
        f"{scene.case}: {', '.join(without)} met no row: add it to the world in"
        " tests/harness/worlds.py"
    )


@pytest.mark.parametrize("point", tampering.POINTS, ids=lambda point: point.__name__)
def test_the_totals_are_the_same_after_a_worker_died_in_every_batch(
    scene: Scene, point: Point
) -> None:
    with tampered() as patch:
        deaths = Deaths(tampering.raise_death)
        point(patch, scene.case.workflow, deaths)
        run = scene.to_the_end(scene.start())
    assert sorted(deaths.steps) == sorted(scene.steps_with_rows())
    assert run.state == Run.State.SUCCEEDED, why_it_ended(run)
    assert figures.differences(scene.totals, figures.totals()) == {}


def test_the_totals_are_the_same_after_a_process_was_killed_in_every_step(
    prepared: Scene,
) -> None:
    """With real commits: a process of its own does each batch, and the first of each step is killed
    before its commit.
    """
    killed: set[str] = set()
    with pytest.MonkeyPatch.context() as patch, fresh_database(patch):
        with tampered() as patched:
            tampering.cut(patched, prepared.case.workflow)
            run = prepared.start()
        while len(killed) < len(prepared.steps_with_rows()):
            run = Run.objects.get(pk=run.pk)
            if run.state in Run.ENDED:
                break
            if run.state == Run.State.PAUSED:
                prepared.case.attend(prepared.world, run)
                control.resume(run, actor=prepared.world.maker, reason="test")
            elif _killed_in(prepared, run, spared=killed):
                killed.add(Batch.objects.filter(run=run, state=Batch.State.LEASED).get().step)
                let_leases_run_out()
        with tampered() as patched:
            tampering.cut(patched, prepared.case.workflow)
            run = prepared.to_the_end(run)
        assert sorted(killed) == sorted(prepared.steps_with_rows())
        assert run.state == Run.State.SUCCEEDED, why_it_ended(run)
        assert figures.differences(prepared.totals, figures.totals()) == {}


def _killed_in(scene: Scene, run: Run, *, spared: set[str]) -> bool:
    """True when a process that worked on the run was killed; it is not in the steps of `spared`."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        try:
            with tampered() as patch:
                deaths = Deaths(tampering.kill_this_process, spared=spared)
                tampering.before_the_commit(patch, scene.case.workflow, deaths)
                working.work(run.pk)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


HELD_UP_TIMES = 5


@pytest.fixture
def held_up(prepared: Scene) -> Scene:
    """Outside the proof, the one way of each workflow that most customers meet."""
    seldom = ("by-file", "restore", "exclude")
    if prepared.case.title in seldom and not prepared.long_form:
        pytest.skip("a line of the proof")
    return prepared


def test_a_row_locked_by_another_session_delays_the_run_and_parks_nothing(held_up: Scene) -> None:
    """The lock lasts longer than the attempts after which a dead worker's row is parked."""
    with pytest.MonkeyPatch.context() as patch, fresh_database(patch) as database:
        with tampered() as patched, psycopg.connect(database.url) as other:
            patched.setattr(batches, "PUT_OFF_S", 0.001)
            patched.setattr(leases, "TURN_S_MAX", 0)
            tried = tampering.locking(patched, held_up.case.workflow, other, attempts=HELD_UP_TIMES)
            run = held_up.start()
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '10ms'")
            run = held_up.to_the_end(run)
        assert set(tried) == set(held_up.steps_with_rows())
        ended_as_if_nothing_had_happened(held_up, run)
        waited = dict(Batch.objects.filter(stalls__gt=0).values_list("step", "stalls"))
        assert set(waited.values()) == {HELD_UP_TIMES}, waited
        assert set(Batch.objects.values_list("stalled_by", flat=True)) == {"", Cause.LOCK_WAIT}


def test_cut_connections_delay_the_run_and_park_nothing(held_up: Scene) -> None:
    with pytest.MonkeyPatch.context() as patch, fresh_database(patch) as database:
        with tampered() as patched, database.connect("none") as other:
            patched.setattr(batches, "PUT_OFF_S", 0.001)
            patched.setattr(leases, "TURN_S_MAX", 0)
            cuts = tampering.cutting(patched, held_up.case.workflow, other, times=HELD_UP_TIMES)
            run = held_up.to_the_end(held_up.start())
        assert cuts == dict.fromkeys(held_up.steps_with_rows(), HELD_UP_TIMES)
        ended_as_if_nothing_had_happened(held_up, run)
        delayed = Batch.objects.filter(stalls__gt=0)
        assert set(delayed.values_list("stalled_by", flat=True)) == {Cause.CONNECTION_LOST}


def ended_as_if_nothing_had_happened(scene: Scene, run: Run) -> None:
    assert run.state == Run.State.SUCCEEDED, why_it_ended(run)
    assert not Failure.objects.exists()
    assert not Batch.objects.filter(state=Batch.State.SPLIT).exists()
    assert figures.differences(scene.totals, figures.totals()) == {}


def test_a_batch_that_is_applied_twice_moves_no_row_twice(scene: Scene) -> None:
    with tampered() as patch:
        tampering.twice(patch, scene.case.workflow)
        run = scene.to_the_end(scene.start())
    assert run.state == Run.State.SUCCEEDED, why_it_ended(run)
    assert figures.differences(scene.totals, figures.totals()) == {}


def test_a_second_run_changes_nothing(scene: Scene) -> None:
    """Workers that come after the end do nothing. Another run is refused, or it finds nothing to
    do: no row moves and no amount changes. What stands for the run itself, such as a fence of its
    own, is new.
    """
    first = scene.to_the_end(scene.start())
    ended = figures.totals()
    assert working.work(first.pk) == 0
    assert not steps.advance(first.pk)
    assert figures.differences(ended, figures.totals()) == {}
    run_steps = registry.get(first.workflow).steps(first)
    before = figures.totals_of_steps(run_steps, first)
    try:
        second = scene.start()
    except WinddownError:
        pass
    else:
        second = scene.to_the_end(second)
        assert second.state == Run.State.SUCCEEDED, why_it_ended(second)
        assert sum(progress.moved(second).values()) == 0, progress.moved(second)
    assert figures.differences(before, figures.totals_of_steps(run_steps, first)) == {}


def test_a_pause_takes_effect_after_the_batch_under_way(scene: Scene) -> None:
    """In each step the batch under way ends, no other batch begins, and the run continues later."""

    def pause(run: Run) -> None:
        control.pause(run, actor=scene.world.maker, reason="the operator wants to look")

    with tampered() as patch:
        paused = tampering.pausing(patch, scene.case.workflow, pause)
        run = scene.start()
        for number, step in enumerate(scene.steps_with_rows(), 1):
            while len(paused) < number:
                run = scene.work(run)
                if run.state == Run.State.PAUSED and len(paused) < number:
                    scene.case.attend(scene.world, run)
                    run = control.resume(run, actor=scene.world.maker, reason="test")
            assert run.state == Run.State.PAUSED, step
            done = Batch.objects.filter(run=run, step=step, state=Batch.State.DONE)
            outward = registry.get(run.workflow).step(run, step).outward
            assert done.count() == (0 if outward else 1), step
            assert not Batch.objects.filter(run=run, state=Batch.State.LEASED).exists(), step
            assert working.work(run.pk) == 0, step
            control.resume(run, actor=scene.world.maker, reason="test")
        run = scene.to_the_end(run)
    assert sorted(paused) == sorted(scene.steps_with_rows())
    assert run.state == Run.State.SUCCEEDED, why_it_ended(run)


def test_a_failed_row_is_stored_with_its_reason_and_a_retry_moves_it(
    prepared: Scene,
) -> None:
    for step in prepared.steps_to_spoil():
        with undone():
            with tampered() as patch:
                refused = tampering.refusing(patch, prepared.case.workflow, step)
                run = prepared.to_the_end(prepared.start())
            assert run.state == Run.State.PARTIALLY_FAILED, step
            failure = Failure.objects.get(run=run, step=step)
            assert [failure.subject_id] == refused, step
            assert failure.reason_code == RowRefused.__name__, step
            assert str(refused[0]) in failure.detail, step

            control.retry_failed(
                run, reason_code=RowRefused.__name__, actor=prepared.world.maker, reason="mended"
            )
            with tampered() as patch:
                tampering.cut(patch, prepared.case.workflow)
                run = prepared.to_the_end(run)
            assert run.state == Run.State.SUCCEEDED, (step, why_it_ended(run))


def test_the_verification_finds_a_row_that_was_left(prepared: Scene) -> None:
    """A step leaves its last row: the run does not succeed, unless a later step moved that row.

    The proof tries every step; here the last step whose omission can be seen is enough.
    """
    seen = []
    for step in reversed(prepared.steps_with_rows()):
        with undone():
            with tampered() as patch:
                withheld = tampering.withholding(patch, prepared.case.workflow, step)
                run = prepared.to_the_end(prepared.start())
            assert withheld, step
            if run.state == Run.State.SUCCEEDED:
                left = registry.get(run.workflow).step(run, step).rows(run).filter(pk__in=withheld)
                assert not left.exists(), f"{step} left row {withheld[0]}, and nobody said so"
                continue
            assert run.state == Run.State.PARTIALLY_FAILED, step
            assert why_it_ended(run), f"{step} left row {withheld[0]}: the run does not say why"
            seen.append(step)
        if not prepared.long_form:
            break
    assert seen, "no step's omission was reported"
