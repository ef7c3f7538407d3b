"""A workflow's run from its plan to its verified end. Processes of its own do the batches."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from benchmarks import population
from benchmarks.harness import Process, Spending, Spent, Stopwatch
from winddown.models import Run
from winddown.runs import planning, progress, waking, working


@dataclass(frozen=True, slots=True)
class Ended:
    """Rows moved by all steps; seconds from start to verified end, by the clock and of a processor;
    seconds of every part.
    """

    rows: int
    seconds: float
    processor_s: float
    parts: dict[str, float]


def ended(
    name: str, *, maker: str, checker: str, workers: int, params: dict[str, Any] | None = None
) -> Ended:
    """A run of workflow `name` has succeeded, worked off by `workers` processes."""
    planner, approver = population.person(maker), population.person(checker)
    with Stopwatch() as prepared:
        run = planning.plan(name, actor=planner, reason="benchmark", params=params)
        prepared.lap("plan s")
        run = planning.approve(run, actor=approver, digest=run.plan_digest, reason="benchmark")
        prepared.lap("approve s")
    crew = [Process("runs", "work_off", run.pk) for _ in range(workers)]
    with Stopwatch() as watch:
        began = Spent.on(lambda: planning.start(run, actor=planner))
        watch.lap("start s")
        for process in crew:
            process.go()
        worked = [process.said()["processor_s"] for process in crew]
        watch.lap("work s")
    for process in crew:
        process.left()
    done = Run.objects.get(pk=run.pk)
    assert done.state == Run.State.SUCCEEDED, done.state
    return Ended(
        sum(progress.moved(done).values()),
        watch.seconds,
        began.processor_s + sum(worked),
        prepared.laps | watch.laps,
    )


def work_off(run: str) -> dict[str, float]:
    """No batch is left. Returns how many batches this process did.

    A worker that finds no free batch while another finishes the step tries again.
    """
    batches = 0
    with Spending() as spending:
        while int(run) in waking.owed():
            batches += working.work(int(run), seconds_max=3_600, batches_max=1_000_000)
            time.sleep(0.002)
    return {"batches": batches, "processor_s": spending.spent.processor_s}
