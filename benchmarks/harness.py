"""What every benchmark stands on: databases of its own, side processes, and a report that is
printed and kept.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import importlib.metadata
import json
import math
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results"
ROOT = Path(__file__).parent.parent
PREFIX = f"bench_{os.getpid()}"

console = Console(highlight=False)
if not console.is_terminal:
    console = Console(highlight=False, width=120)


# --- Databases ------------------------------------------------------------------------------------


class Databases:
    """Databases that live as long as the benchmarks, on the server of `DATABASE_URL`; the one it
    names is never touched.

    Migrated once, filled once for each size, copied for each side: so every side starts alike,
    after a checkpoint.
    """

    def __init__(self) -> None:
        self.made: list[str] = []

    def filled(self, name: str, fill: Callable[..., None], **options: Any) -> str:
        """A migrated database that `fill(**options)` has filled; made at the first call."""
        label = "_".join([PREFIX, name, *(str(value) for value in options.values())])
        if label not in self.made:
            self._copy(self._migrated(), label)
            with inside(label):
                fill(**options)
                _execute("VACUUM ANALYZE")
        return label

    @contextlib.contextmanager
    def side(self, template: str) -> Iterator[str]:
        """A copy of `template` to which Django's connection leads inside; dropped at the end."""
        label = f"{template}_side"
        self._copy(template, label)
        try:
            with inside(label):
                yield label
        finally:
            self._drop(label)

    @contextlib.contextmanager
    def empty(self, name: str) -> Iterator[str]:
        """A database without a table, to which Django's connection leads inside; dropped at the
        end.
        """
        label = f"{PREFIX}_{name}"
        self._server(f'CREATE DATABASE "{label}"')
        self.made.append(label)
        try:
            with inside(label):
                yield label
        finally:
            self._drop(label)

    def drop_all(self) -> None:
        for label in reversed(self.made.copy()):
            self._drop(label)

    def _migrated(self) -> str:
        label = f"{PREFIX}_migrated"
        if label not in self.made:
            self._server(f'CREATE DATABASE "{label}"')
            self.made.append(label)
            with inside(label):
                call_command("migrate", verbosity=0)
        return label

    def _copy(self, template: str, label: str) -> None:
        self._server(f'CREATE DATABASE "{label}" TEMPLATE "{template}" STRATEGY file_copy')
        self.made.append(label)

    def _drop(self, label: str) -> None:
        self._server(f'DROP DATABASE IF EXISTS "{label}" WITH (FORCE)')
        self.made.remove(label)

    def _server(self, statement: str) -> None:
        with connection._nodb_cursor() as cursor:  # type: ignore[attr-defined]
            cursor.execute(statement)


@contextlib.contextmanager
def inside(name: str) -> Iterator[None]:
    """Django's connection, in every thread, leads to the database `name` inside."""
    fields = connections["default"].settings_dict
    outside = fields["NAME"]
    connections.close_all()
    fields["NAME"] = name
    try:
        yield
    finally:
        connections.close_all()
        fields["NAME"] = outside


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def database_url() -> str:
    """The URL of the database that Django's connection leads to at present."""
    said = connections["default"].settings_dict
    person = quote(said["USER"] or "")
    if said["PASSWORD"]:
        person += ":" + quote(said["PASSWORD"])
    parameters = {"host": said["HOST"], "port": str(said["PORT"] or "")}
    parameters |= {
        name: value
        for name, value in said["OPTIONS"].items()
        if name.startswith("ssl") and isinstance(value, str)
    }
    query = urlencode({name: value for name, value in parameters.items() if value}, safe="/")
    return f"postgres://{person + '@' if person else ''}/{quote(said['NAME'])}" + (
        f"?{query}" if query else ""
    )


# --- Processes ------------------------------------------------------------------------------------


class Process:
    """`benchmarks.<module>.<function>(*words)` in a process of its own, in the present database, at
    the starting line.
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
        """It is told to come to its end: its input is closed."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        return self

    def said(self) -> Any:
        """What it measured, as soon as its work is done; the process itself is still leaving."""
        return json.loads(self._line())

    def result(self) -> Any:
        """What it measured, once the process has left."""
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
    """No wake-up leaves for the broker: its workers serve the caller's database, where a run of
    that number is another.
    """

    from winddown.runs import waking

    waking.wake = lambda run_id, **_: None


# --- Measuring ------------------------------------------------------------------------------------


class Stopwatch:
    """Seconds of the block; `lap(name)` keeps the time since the last lap."""

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


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


@dataclass(slots=True)
class Measurement:
    """One side at one size: `rows` were done in `seconds`; fewer than `size` are a sample."""

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
        """How often a side is measured; the best counts, because disturbance only adds time."""
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
        """`work` was measured in fresh copies of `template`; it returns the rows it did and the
        seconds it took.
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
        """A line of figures that are no rates: latencies, counts."""
        self.figures.setdefault(of, {}).update(values)
        shown = ", ".join(f"{name} {_shown(value)}" for name, value in values.items())
        console.print(f"  {of}: {shown}", style="dim")

    def at(self, side: str, size: int | None = None) -> Measurement:
        size = size or self.largest
        return next(m for m in self.measurements if (m.side, m.size) == (side, size))

    def ratio(self, side: str, to: str, size: int | None = None) -> float:
        """Time per row of `side` in that of `to`."""
        return self.at(side, size).row_s / self.at(to, size).row_s

    def at_most(self, what: str, bound: float, reached: float, unit: str = "x") -> None:
        self.goals.append(Goal(what, f"<= {_shown(bound)}{unit}", reached, reached <= bound))

    def at_least(self, what: str, bound: float, reached: float, unit: str = "x") -> None:
        self.goals.append(Goal(what, f">= {_shown(bound)}{unit}", reached, reached >= bound))

    def growth(self) -> dict[str, float]:
        """Exponent of seconds over rows for every side measured at several sizes: 1 is linear."""
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


# --- The report -----------------------------------------------------------------------------------


def _shown(value: float) -> str:
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def show(bench: Bench) -> None:
    """The report stands on the terminal."""
    console.print(f"\n[bold]{bench.title}[/bold]")
    if bench.measurements:
        console.print(_rates(bench))
    if bench.figures:
        console.print(_figures(bench))
    if bench.goals:
        console.print(_goals(bench))
    for note in bench.notes:
        console.print(f"  {note}", style="dim")


def _rates(bench: Bench) -> Table:
    limit = next((m.side for m in bench.measurements if m.part == "limit"), None)
    ours = next((m.side for m in bench.measurements if m.part == "ours"), None)
    growth = bench.growth()
    table = Table("", "side")
    for heading in ("rows", "seconds", "rows/s", "x limit", "x ours", "growth"):
        table.add_column(heading, justify="right")
    order = {"limit": 0, "ours": 1, "peer": 2}
    for size in sorted({m.size for m in bench.measurements}):
        table.add_section()
        table.add_row("", f"of {size:,}", style="italic")
        at_size = [m for m in bench.measurements if m.size == size]
        for m in sorted(at_size, key=lambda m: order[m.part]):
            table.add_row(
                m.part,
                m.side,
                f"{m.rows:,}",
                f"{m.seconds:.3f}",
                f"{m.rows_s:,.0f}",
                *(_against(bench, m, other) for other in (limit, ours)),
                f"{growth[m.side]:.2f}" if size == bench.largest and m.side in growth else "",
                style="bold" if m.part == "ours" else None,
            )
    return table


def _against(bench: Bench, m: Measurement, other: str | None) -> str:
    try:
        return _shown(m.row_s / bench.at(other or "", m.size).row_s)
    except StopIteration:
        return ""


def _figures(bench: Bench) -> Table:
    headings = list(dict.fromkeys(name for line in bench.figures.values() for name in line))
    table = Table("")
    for heading in headings:
        table.add_column(heading, justify="right")
    for of, line in bench.figures.items():
        table.add_row(of, *(_shown(line[name]) if name in line else "" for name in headings))
    return table


def _goals(bench: Bench) -> Table:
    table = Table("goal", "bound", "reached", "")
    for goal in bench.goals:
        table.add_row(
            goal.what,
            goal.bound,
            _shown(goal.reached),
            "[green]met[/green]" if goal.met else "[red]missed[/red]",
        )
    return table


def keep(bench: Bench) -> Path:
    """The report stands in `results/<name>.json`, with the machine it was measured on."""
    path = RESULTS / f"{bench.name}{'.quick' if bench.quick else ''}.json"
    content = {
        "benchmark": bench.name,
        "title": bench.title,
        "measured_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "measurements": [
            asdict(m) | {"seconds": round(m.seconds, 4), "rows_s": round(m.rows_s, 1)}
            for m in bench.measurements
        ],
        "growth": {side: round(exponent, 3) for side, exponent in bench.growth().items()},
        "figures": bench.figures,
        "goals": [asdict(goal) for goal in bench.goals],
        "notes": bench.notes,
    }
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    return path


SERVER_SETTINGS = (
    "server_version",
    "shared_buffers",
    "effective_cache_size",
    "work_mem",
    "max_wal_size",
    "wal_compression",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "autovacuum",
    "max_connections",
)


@functools.cache
def machine() -> dict[str, Any]:
    """What the figures depend on."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, current_setting(name) FROM unnest(%s::text[]) AS name",
            [list(SERVER_SETTINGS)],
        )
        server = dict(cursor.fetchall())
    return {
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3, 1),
        "load_at_start": round(os.getloadavg()[0], 2),
        "system": platform.system(),
        "python": platform.python_version(),
        "packages": {
            name: importlib.metadata.version(name)
            for name in ("Django", "psycopg", "celery", "django-fsm-2")
        },
        "postgresql": server,
    }
