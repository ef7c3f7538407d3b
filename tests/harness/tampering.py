"""A registered workflow in which something goes wrong at a chosen point."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from django.db import connection

from winddown.errors import WinddownError
from winddown.runs import batches, registry, working
from winddown.runs.registry import Moved, Step

BATCH_ROWS = 3

Apply = Callable[[Any, Any, Any], Moved | None]


class Died(BaseException):
    """The worker's process is gone: nothing of the program may answer this."""


class RowRefused(WinddownError):
    """Row {row} cannot be moved."""


def cut(
    patch: pytest.MonkeyPatch,
    workflow: str,
    *,
    apply: Callable[[Step], Apply] = lambda step: step.apply,
    rows: Callable[[Step], Any] = lambda step: step.rows,
) -> None:
    """Every step of the workflow has batches of three rows at most, and the test's own `apply` and
    `rows`.
    """
    kind = type(registry.get(workflow))
    own = kind.steps

    def steps(self: Any, run: Any) -> list[Step]:
        return [
            replace(
                step,
                batch_rows=min(step.batch_rows, BATCH_ROWS),
                apply=apply(step),
                rows=rows(step),
            )
            for step in own(self, run)
        ]

    patch.setattr(kind, "steps", steps)


# --- deaths ---------------------------------------------------------------------------------------


class Deaths:
    """The first worker of each batch dies at the point; the next worker of it lives.

    Nobody dies in a step of `spared`.
    """

    def __init__(self, die: Callable[[], None], *, spared: Collection[str] = ()) -> None:
        self.die = die
        self.spared = spared
        self.steps: set[str] = set()
        self._hit: set[int] = set()

    def strike(self, batch: Any) -> None:
        if batch.pk in self._hit or batch.step in self.spared:
            return
        self._hit.add(batch.pk)
        self.steps.add(batch.step)
        self.die()


def raise_death() -> None:
    raise Died


def kill_this_process() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


Point = Callable[[pytest.MonkeyPatch, str, Deaths], None]


def before_the_rows_are_touched(patch: pytest.MonkeyPatch, workflow: str, deaths: Deaths) -> None:
    def apply(step: Step) -> Apply:
        def dies(run: Any, batch: Any, rows: Any) -> Moved | None:
            deaths.strike(getattr(batch, "batch", batch))
            return step.apply(run, batch, rows)

        return dies

    cut(patch, workflow, apply=apply)


def before_the_commit(patch: pytest.MonkeyPatch, workflow: str, deaths: Deaths) -> None:
    finish = batches.finish

    def dies(run: Any, batch: Any, **done: Any) -> None:
        finish(run, batch, **done)
        deaths.strike(batch)

    patch.setattr(batches, "finish", dies)
    cut(patch, workflow)


def after_the_commit(patch: pytest.MonkeyPatch, workflow: str, deaths: Deaths) -> None:
    do = working._do

    def dies(batch: Any, worker: str, **limits: Any) -> Any:
        following = do(batch, worker, **limits)
        deaths.strike(batch)
        return following

    patch.setattr(working, "_do", dies)
    cut(patch, workflow)


POINTS: list[Point] = [
    before_the_rows_are_touched,
    before_the_commit,
    after_the_commit,
]


# --- what holds a batch up ------------------------------------------------------------------------


def locking(
    patch: pytest.MonkeyPatch, workflow: str, psql: psycopg.Connection[Any], *, attempts: int
) -> dict[str, int]:
    """Another session locks the first row of each step for so many attempts; returns step ->
    attempts.
    """
    held: dict[str, int] = {}
    tried: dict[str, int] = {}

    def apply(step: Step) -> Apply:
        def waits(run: Any, batch: Any, rows: Any) -> Moved | None:
            if step.name not in held:
                psql.rollback()
                held[step.name] = pk = rows.order_by("pk").values_list("pk", flat=True)[0]
                psql.execute(
                    f"SELECT FROM {rows.model._meta.db_table} WHERE id = %s FOR UPDATE", [pk]
                )
            if rows.filter(pk=held[step.name]).exists():
                tried[step.name] = tried.get(step.name, 0) + 1
                if tried[step.name] > attempts:
                    psql.rollback()
            return step.apply(run, batch, rows)

        return waits

    cut(patch, workflow, apply=apply)
    return tried


def cutting(
    patch: pytest.MonkeyPatch, workflow: str, psql: psycopg.Connection[Any], *, times: int
) -> dict[str, int]:
    """The connection is cut so many times in each step, before the batch commits; returns step ->
    cuts.
    """
    done: dict[str, int] = {}

    def cut_now(step: Step) -> None:
        if done.get(step.name, 0) < times:
            done[step.name] = done.get(step.name, 0) + 1
            pid = connection.connection.info.backend_pid
            psql.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])

    def apply(step: Step) -> Apply:
        def breaks(run: Any, batch: Any, rows: Any) -> Moved | None:
            if step.outward:
                cut_now(step)
                return step.apply(run, batch, rows)
            moved = step.apply(run, batch, rows)
            cut_now(step)
            return moved

        return breaks

    cut(patch, workflow, apply=apply)
    return done


# --- other trouble --------------------------------------------------------------------------------


def twice(patch: pytest.MonkeyPatch, workflow: str) -> None:
    """Every batch is applied again after it was applied, and then commits."""

    def apply(step: Step) -> Apply:
        def again(run: Any, batch: Any, rows: Any) -> Moved | None:
            moved = step.apply(run, batch, rows)
            repeated = step.apply(run, batch, rows)
            assert repeated is None or repeated.rows == 0, (step.name, repeated)
            return moved

        return again

    cut(patch, workflow, apply=apply)


def refusing(patch: pytest.MonkeyPatch, workflow: str, step_name: str) -> list[int]:
    """The first row that a batch of the step meets cannot be moved; the returned list holds it."""
    refused: list[int] = []

    def apply(step: Step) -> Apply:
        def refuses(run: Any, batch: Any, rows: Any) -> Moved | None:
            if not refused:
                refused.append(rows.order_by("pk").values_list("pk", flat=True)[0])
            if step.outward:
                if rows.filter(pk__in=refused).exists():
                    with batch.turn() as turn:
                        turn.fail(refused[0], RowRefused.__name__, str(RowRefused(row=refused[0])))
                return step.apply(run, batch, rows.exclude(pk__in=refused))
            if rows.filter(pk__in=refused).exists():
                raise RowRefused(row=refused[0])
            return step.apply(run, batch, rows)

        return refuses if step.name == step_name else step.apply

    cut(patch, workflow, apply=apply)
    return refused


def withholding(patch: pytest.MonkeyPatch, workflow: str, step_name: str) -> list[int]:
    """The step does not see its last row; the returned list holds it."""
    withheld: list[int] = []

    def rows(step: Step) -> Any:
        def fewer(run: Any) -> Any:
            scope = step.rows(run)
            if not withheld:
                withheld.extend(scope.order_by("-pk").values_list("pk", flat=True)[:1])
            return scope.exclude(pk__in=withheld)

        return fewer if step.name == step_name else step.rows

    cut(patch, workflow, rows=rows)
    return withheld


def pausing(patch: pytest.MonkeyPatch, workflow: str, pause: Callable[[Any], None]) -> set[str]:
    """Somebody pauses the run during the first batch of each step; returns the steps in which that
    happened.
    """
    paused: set[str] = set()

    def apply(step: Step) -> Apply:
        def pauses(run: Any, batch: Any, rows: Any) -> Moved | None:
            if step.name not in paused:
                paused.add(step.name)
                pause(run)
            return step.apply(run, batch, rows)

        return pauses

    cut(patch, workflow, apply=apply)
    return paused


@contextlib.contextmanager
def tampered() -> Iterator[pytest.MonkeyPatch]:
    """Inside, the patches apply; afterwards the workflow is unchanged."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch
