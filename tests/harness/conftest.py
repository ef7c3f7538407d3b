"""For each way to run a registered workflow: a world of its own, and how the run ends undisturbed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection, transaction

from tests import factories
from tests.conftest import Database, fresh_database
from tests.harness import figures, tampering
from tests.harness.wait_for_operator import demo
from tests.harness.worlds import Case, World, cases_of, make_world
from winddown.models import Batch, Run, RunTransition, StepTotal
from winddown.runs import control, progress, registry, working

ROUNDS_MAX = 400
CASES = [case for name in registry.names() for case in cases_of(name)]
DEMO = cases_of("wait-for-operator")


@dataclass
class Scene:
    """A case in its world, at the moment before it is planned."""

    case: Case
    world: World
    database: Database
    steps: dict[str, int]
    """Step -> rows it met, when nothing disturbed it."""
    totals: dict[str, Any]
    """How it then ended."""
    long_form: bool

    def start(self) -> Run:
        return factories.started_run(
            self.case.workflow,
            maker=self.world.maker,
            checker=self.world.checker,
            params=self.case.params,
        )

    def steps_with_rows(self) -> list[str]:
        return [step for step, rows in self.steps.items() if rows]

    def steps_to_spoil(self) -> list[str]:
        """Returns the steps that each have a run of their own: every one in the proof."""
        steps = self.steps_with_rows()
        return steps if self.long_form else sorted({steps[0], steps[-1]}, key=steps.index)

    def work(self, run: Run) -> Run:
        """One worker did all that it can do before it dies, or the run pauses or ends."""
        try:
            working.work(run.pk)
        except tampering.Died:
            let_leases_run_out()
        return Run.objects.get(pk=run.pk)

    def to_the_end(self, run: Run) -> Run:
        """The run has ended. Other workers followed the dead ones, and the operator did what each
        pause asked for.
        """
        asked = ""
        for _ in range(ROUNDS_MAX):
            run = self.work(run)
            if run.state in Run.ENDED:
                return run
            if run.state == Run.State.PAUSED:
                why = progress.paused_because(run)
                assert why != asked, (
                    f"{self.case} waits again: {why}. Say in tests/harness/worlds.py (`attend`)"
                    " what its operator does."
                )
                asked = why
                self.case.attend(self.world, run)
                control.resume(run, actor=self.world.maker, reason="test")
        raise AssertionError(f"{self.case} does not end: step {run.step}, {run.state}")


def let_leases_run_out() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE winddown_batch SET lease_until = clock_timestamp() - interval '1 second'"
            " WHERE state = %s",
            [Batch.State.LEASED],
        )


def why_it_ended(run: Run) -> str:
    """What the verification said."""
    log = RunTransition.objects.filter(subject_id=run.pk, target=run.state).order_by("-pk")
    return str(log.values_list("reason", flat=True)[0])


# One worker makes the world of a case once, and all tests of the case use it.
PARAMS = [
    pytest.param(case, marks=pytest.mark.xdist_group(f"harness {case}")) for case in [*CASES, *DEMO]
]


@pytest.fixture(scope="module", params=PARAMS, ids=str)
def prepared(
    request: pytest.FixtureRequest,
    django_db_setup: None,
    django_db_blocker: Any,
    tmp_path_factory: pytest.TempPathFactory,
    long_form: bool,
) -> Iterator[Scene]:
    """The case's world is committed to a database of its own, and its undisturbed twin is known."""
    case = request.param
    with (
        pytest.MonkeyPatch.context() as patch,
        django_db_blocker.unblock(),
        demo(),
        fresh_database(patch) as database,
    ):
        world = make_world(tmp_path_factory.mktemp("world"))
        case.bring(world)
        scene = Scene(case, world, database, steps={}, totals={}, long_form=long_form)
        with transaction.atomic(), tampering.tampered() as patched:
            tampering.cut(patched, case.workflow)
            run = scene.to_the_end(scene.start())
            assert run.state == Run.State.SUCCEEDED, (case, run.state, why_it_ended(run))
            scene.totals = figures.totals()
            scene.steps = {
                total.step: total.rows_expected
                for total in StepTotal.objects.filter(run=run).order_by("pk")
            }
            transaction.set_rollback(True)
        yield scene


@contextmanager
def undone() -> Iterator[None]:
    """All that is done inside is undone afterwards."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def scene(prepared: Scene) -> Iterator[Scene]:
    """The case before it is planned. All that a test does to it is undone."""
    with undone():
        yield prepared
