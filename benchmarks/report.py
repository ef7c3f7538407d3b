"""A benchmark's report: tables on the terminal, and a file with the machine it was measured on."""

from __future__ import annotations

import datetime as dt
import functools
import importlib.metadata
import json
import os
import platform
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.db import connection
from rich.table import Table

from benchmarks.harness import Bench, Measurement, console, shown

RESULTS = Path(__file__).parent / "results"


def show(bench: Bench) -> None:
    """The report is on the terminal."""
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
        return shown(m.row_s / bench.at(other or "", m.size).row_s)
    except StopIteration:
        return ""


def _figures(bench: Bench) -> Table:
    headings = list(dict.fromkeys(name for line in bench.figures.values() for name in line))
    table = Table("")
    for heading in headings:
        table.add_column(heading, justify="right")
    for of, line in bench.figures.items():
        table.add_row(of, *(shown(line[name]) if name in line else "" for name in headings))
    return table


def _goals(bench: Bench) -> Table:
    table = Table("goal", "bound", "reached", "")
    for goal in bench.goals:
        table.add_row(
            goal.what,
            goal.bound,
            shown(goal.reached),
            "[green]met[/green]" if goal.met else "[red]missed[/red]",
        )
    return table


def keep(bench: Bench) -> Path:
    """The report is in `results/<name>.json`, with the machine it was measured on. Returns the
    path.
    """
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
    """Returns the facts of the machine that the figures depend on."""
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
