"""How a benchmark measures: side processes, a stopwatch, and the figures that it collects."""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pgtrigger
from django.conf import settings
from django.db import connection, models
from rich.console import Console

from benchmarks.databases import Databases, database_url
from winddown import witness

ROOT = Path(__file__).parent.parent

console = Console(highlight=False)
if not console.is_terminal:
    console = Console(highlight=False, width=120)

# --- Processes ------------------------------------------------------------------------------------


class Process:
    """`benchmarks.<module>.<function>(*words)` runs in a process of its own, in the present
    database. The process is ready after the constructor and works after `go`.
    """

    def __init__(self, module: str, function: str, *words: object, **environment: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.process", module, function, *map(str, words)],
            cwd=ROOT,
            env=process_environment() | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._line() == "ready", f"{module}.{function} did not start"

    def go(self) -> Process:
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        return self

    def stop(self) -> Process:
        """Its input is closed, and it ends."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        return self

    def said(self) -> Any:
        """Returns what it measured as soon as its work is done. The process may still run."""
        return json.loads(self._line())

    def result(self) -> Any:
        """Returns what it measured, once the process has ended."""
        said = self.said()
        self.left()
        return said

    def left(self) -> None:
        assert self._process.wait() == 0

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


def process_environment() -> dict[str, str]:
    return {
        **os.environ,
        "DATABASE_URL": database_url(),
        "REDIS_URL": settings.REDIS_URL,
        "WINDDOWN_LOG_LEVEL": "ERROR",
        "PYTHONWARNINGS": "ignore",
    }


def wake_nobody() -> None:
    """No wake-up goes to the broker, because its workers serve another database, which has another
    run with that number.
    """

    from winddown.runs import waking

    waking.wake = lambda run_id, **_: None


def digest_of(model: type[models.Model], *, row: str) -> str:
    """Returns SQL of the digest that the model's triggers note of a row, for a bare statement that
    writes it, too.
    """
    (columns,) = (
        trigger.columns
        for each, trigger in pgtrigger.registered()
        if each is model and isinstance(trigger, witness.UpdateWitness)
    )
    return witness.digest_sql(model, columns, row=row)


# --- Measuring ------------------------------------------------------------------------------------


class Stopwatch:
    """Measures the seconds of the block. `lap(name)` keeps the time since the last lap."""

    def __enter__(self) -> Stopwatch:
        self.laps: dict[str, float] = {}
        self._begun = self._lap = time.perf_counter()
        self.seconds = 0.0
        return self

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = now - self._lap
        self._lap = now

    def __exit__(self, *_: object) -> None:
        self.seconds = time.perf_counter() - self._begun


@dataclass(frozen=True, slots=True)
class Spent:
    """What some work took: seconds by the clock, and seconds of a processor in the process that did
    it and in its connection's server process. Other programs prolong only the first.
    """

    seconds: float
    own_s: float
    server_s: float

    @classmethod
    def on(cls, work: Callable[[], object]) -> Spent:
        """Returns what the work took. A server process on another machine is counted as zero."""
        with Spending() as spending:
            work()
        return spending.spent

    @staticmethod
    def now() -> tuple[float, float, float]:
        status = server_process()
        server_s = 0.0
        if status is not None:
            fields = (status / "stat").read_text().rpartition(")")[2].split()
            server_s = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return time.perf_counter(), time.process_time(), server_s

    @property
    def processor_s(self) -> float:
        return self.own_s + self.server_s


class Spending:
    """Measures what the block takes: `spent` is there afterwards."""

    def __enter__(self) -> Spending:
        self._before = Spent.now()
        self.spent = Spent(0.0, 0.0, 0.0)
        return self

    def __exit__(self, *_: object) -> None:
        now = Spent.now()
        self.spent = Spent(*(after - then for after, then in zip(now, self._before, strict=True)))


def server_process() -> Path | None:
    """Returns what the system says about the connection's server process. Returns None if that
    process is on another machine.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        place = Path(f"/proc/{cursor.fetchone()[0]}")
    return place if place.is_dir() and "postgres" in (place / "comm").read_text() else None


def times(ours: Sequence[Spent], limit: Sequence[Spent]) -> dict[str, float]:
    """Returns how many times the limit ours took, by the clock and in seconds of a processor: the
    medians over pairs that were measured one after the other.
    """
    pairs = list(zip(ours, limit, strict=True))
    return {
        "clock": statistics.median(our.seconds / its.seconds for our, its in pairs),
        "processor": statistics.median(our.processor_s / its.processor_s for our, its in pairs),
    }


def percentile(values: Sequence[float], share: float) -> float:
    """Returns the smallest value that at least `share` of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


@dataclass(slots=True)
class Measurement:
    """One side at one size: `rows` were done in `seconds`. Fewer rows than `size` are a sample."""

    side: str
    part: str  # ours, peer or limit
    size: int
    rows: int
    seconds: float
    note: str = ""

    @property
    def rows_s(self) -> float:
        return self.rows / self.seconds

    @property
    def row_s(self) -> float:
        return self.seconds / self.rows


@dataclass(slots=True)
class Goal:
    what: str
    bound: str
    reached: float
    met: bool


@dataclass(slots=True)
class Bench:
    """One benchmark's report; its `run(bench)` fills it."""

    name: str
    title: str
    sizes: tuple[int, ...]
    quick: bool
    databases: Databases
    measurements: list[Measurement] = field(default_factory=list)
    figures: dict[str, dict[str, float]] = field(default_factory=dict)
    goals: list[Goal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def largest(self) -> int:
        return max(self.sizes)

    def repeats(self, size: int) -> int:
        """Returns how often a side is measured. The best measurement counts, because disturbance
        only adds time.
        """
        return 1 if self.quick or size >= 500_000 else 3

    def side(
        self,
        side: str,
        part: str,
        *,
        size: int,
        template: str,
        work: Callable[[], tuple[int, float]],
        note: str = "",
        repeats: int | None = None,
    ) -> Measurement:
        """`work` was measured in fresh copies of `template`. It returns the rows that it did and
        the seconds that it took.
        """
        best: Measurement | None = None
        for _ in range(repeats or self.repeats(size)):
            with self.databases.side(template):
                rows, seconds = work()
            tried = Measurement(side, part, size, rows, seconds, note)
            if best is None or tried.row_s < best.row_s:
                best = tried
        assert best is not None
        return self.add(best)

    def add(self, measurement: Measurement) -> Measurement:
        self.measurements.append(measurement)
        console.print(
            f"  {measurement.size:>9,} {measurement.side}: {measurement.rows:,} rows in"
            f" {measurement.seconds:.2f} s, {measurement.rows_s:,.0f}/s",
            style="dim",
        )
        return measurement

    def figure(self, of: str, **values: float) -> None:
        """The report has a line of figures that are no rates, such as latencies and counts."""
        self.figures.setdefault(of, {}).update(values)
        line = ", ".join(f"{name} {shown(value)}" for name, value in values.items())
        console.print(f"  {of}: {line}", style="dim")

    def at(self, side: str, size: int | None = None) -> Measurement:
        size = size or self.largest
        return next(m for m in self.measurements if (m.side, m.size) == (side, size))

    def ratio(self, side: str, to: str, size: int | None = None) -> float:
        """Returns the time per row of `side`, as a multiple of that of `to`."""
        return self.at(side, size).row_s / self.at(to, size).row_s

    def at_most(self, what: str, bound: float, reached: float, unit: str = "x") -> None:
        self.goals.append(Goal(what, f"<= {shown(bound)}{unit}", reached, reached <= bound))

    def at_least(self, what: str, bound: float, reached: float, unit: str = "x") -> None:
        self.goals.append(Goal(what, f">= {shown(bound)}{unit}", reached, reached >= bound))

    def growth(self) -> dict[str, float]:
        """Returns the exponent of seconds over rows for each side with several sizes. 1 is linear."""
        found = {}
        for side in dict.fromkeys(m.side for m in self.measurements):
            points = [
                (math.log(m.rows), math.log(m.seconds)) for m in self.measurements if m.side == side
            ]
            if len({x for x, _ in points}) > 1:
                found[side] = _slope(points)
        return found


def _slope(points: list[tuple[float, float]]) -> float:
    middle_x = sum(x for x, _ in points) / len(points)
    middle_y = sum(y for _, y in points) / len(points)
    return sum((x - middle_x) * (y - middle_y) for x, y in points) / sum(
        (x - middle_x) ** 2 for x, _ in points
    )


def shown(value: float) -> str:
    """Returns the figure with as many digits as a reader needs."""
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
