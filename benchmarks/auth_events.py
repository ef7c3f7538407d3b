"""Attempts to sign in: the load beside plain COPY, the whole analysis, and live reading."""

from __future__ import annotations

import datetime as dt
import resource
import statistics
import sys
import tempfile
import time
from dataclasses import astuple
from pathlib import Path
from typing import Any

from django.db import connection

from accounts.attacks import counting
from accounts.models import AttackWindow, User
from benchmarks.harness import Bench, Measurement, Process, Spent, server_process, times
from benchmarks.population import copies, programme
from winddown.loading import loader

PLAIN = "plain COPY"
LOAD = "loaded"
ANALYSE = "analysed"
LASTS = dt.timedelta(days=4)
LIVE_MINUTES = 15
# Up to so many attempts are loaded more than once. The median of the ratios counts.
REPEATED_MAX = 1_000_000
REPEATS = 3
COLUMNS = (
    "occurred_at,login_id,account_ref,outcome,method,network,device_ref,country,displaced_session"
)

# Honest sign-ins, the two bursts of an attack from forty addresses, then honest ones with hits among
# them: an attempt each `LASTS / size`.
EVENTS = """
    SELECT to_char((%(since)s::timestamptz + n * %(lasts)s::interval / %(size)s)
            AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        CASE share WHEN 'unknown' THEN 'nobody-' || n / 2 ELSE 'person-' || who END,
        CASE WHEN share <> 'unknown' THEN 'person-' || who END,
        CASE share WHEN 'unknown' THEN 'unknown_login_id' WHEN 'wrong' THEN 'wrong_password'
            WHEN 'hit' THEN 'success'
            ELSE CASE WHEN n %% 25 = 7 THEN 'wrong_password' ELSE 'success' END END,
        'password',
        CASE share WHEN 'honest' THEN '100.' || 64 + who %% 64 || '.' || who / 64 %% 256 || '.'
            || who / 16384 %% 256 ELSE '203.0.113.' || n %% 40 END,
        CASE share WHEN 'honest' THEN 'phone-' || who ELSE 'bot-' || n %% 40 END,
        CASE share WHEN 'honest' THEN 'JP' ELSE 'XA' END,
        CASE share WHEN 'hit' THEN 'yes' ELSE 'no' END
    FROM generate_series(0, %(size)s - 1) AS n,
        LATERAL (SELECT n::bigint * 7919 %% %(people)s + 1 AS who,
            CASE WHEN n < 0.3 * %(size)s THEN 'honest' WHEN n < 0.7 * %(size)s THEN 'unknown'
                WHEN n < 0.8 * %(size)s THEN 'wrong' WHEN n %% (%(size)s / 500) = 0 THEN 'hit'
                ELSE 'honest' END AS share) AS of
"""


def run(bench: Bench) -> None:
    for size in bench.sizes:
        template = bench.databases.filled("people", fill, people=people_of(size))
        plain, loads, told = [], [], []
        with tempfile.TemporaryDirectory() as place:
            file = Path(place) / "auth_events.csv"
            for _ in range(1 if bench.quick or size > REPEATED_MAX else REPEATS):
                with bench.databases.side(template):
                    until = write_events(file, size=size)
                    plain.append(plain_copy(file))
                    said = Process("auth_events", "measure", file, until.isoformat()).go().result()
                # A thousand attempts are too few for three waves to be told apart.
                assert said["windows"] == (3 if size >= 10_000 else 1), said
                loads.append(Spent(*said["load"]))
                told.append(said)
        least_s = min(spent.seconds for spent in plain)
        bench.add(Measurement(PLAIN, "limit", size, size, least_s))
        bench.add(Measurement(LOAD, "ours", size, size, min(spent.seconds for spent in loads)))
        analyse_s = min(said["analyse_s"] for said in told)
        bench.add(Measurement(ANALYSE, "ours", size, size, analyse_s))
        against = times(loads, plain)
        bench.figure(
            f"{size:,} attempts",
            **{
                "x plain COPY": against["clock"],
                "x plain COPY, processor": against["processor"],
                "plain COPY, processor s": min(spent.processor_s for spent in plain),
                "loader, processor s": min(spent.own_s for spent in loads),
                "its server process, processor s": min(spent.server_s for spent in loads),
                "live, a minute's worth, ms": min(said["live_ms"] for said in told),
                "live, nothing new, ms": min(said["idle_ms"] for said in told),
                "peak MiB": max(said["peak_mib"] for said in told),
                "server process MiB": max(said["server_mib"] for said in told),
            },
        )
    figures = bench.figures[f"{bench.largest:,} attempts"]
    bench.at_most("loaded against plain COPY", 2, figures["x plain COPY"])
    everything = bench.at(LOAD).seconds + bench.at(ANALYSE).seconds
    bench.at_most("loaded and analysed", 60, everything, " s")
    bench.at_most("live rules, a minute's worth", 50, figures["live, a minute's worth, ms"], " ms")
    bench.at_most("live rules, nothing new", 50, figures["live, nothing new, ms"], " ms")
    both = figures["peak MiB"] + figures["server process MiB"]
    bench.at_most("memory of loader and its server process", 2_048, both, " MiB")
    for side in (LOAD, ANALYSE):
        bench.at_most(f"growth exponent, {side}", 1.05, bench.growth().get(side, 1.0), unit="")


def people_of(size: int) -> int:
    return max(100, size // 10)


def fill(*, people: int) -> None:
    programme()
    person = User.objects.create(login_id="person-1", account_ref="person-1", password="!")
    copies(
        User,
        person,
        f"generate_series(2, {people}) AS n",
        login_id="'person-' || n",
        account_ref="'person-' || n",
    )


def write_events(file: Path, *, size: int) -> dt.datetime:
    """The attempts are in the file. Returns the whole minute after the last of them."""
    until = dt.datetime.now(dt.UTC).replace(second=0, microsecond=0) - dt.timedelta(minutes=10)
    said = {"since": until - LASTS, "lasts": LASTS, "size": size, "people": people_of(size)}
    with file.open("wb") as target, connection.cursor() as cursor:
        target.write(f"{COLUMNS}\n".encode())
        with cursor.copy(f"COPY ({EVENTS}) TO STDOUT WITH (FORMAT csv)", said) as rows:
            for row in rows:
                target.write(row)
    return until


def plain_copy(file: Path) -> Spent:
    """Returns what COPY of the file into a table with neither index nor check took."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE plain_authevent (occurred_at timestamptz, login_id text,"
            " account_ref text, outcome text, method text, network inet, device_ref text,"
            " country text, displaced_session text)"
        )
    spent = Spent.on(lambda: _copied(file))
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE plain_authevent")
    return spent


def _copied(file: Path) -> None:
    with (
        file.open("rb") as source,
        connection.cursor() as cursor,
        cursor.copy("COPY plain_authevent FROM STDIN WITH (FORMAT csv, HEADER)") as copy,
    ):
        while block := source.read(1 << 20):
            copy.write(block)


def measure(path: str, until: str) -> dict[str, Any]:
    """Returns the seconds of the load and of the whole analysis, and the milliseconds of the live
    reading.
    """
    end = dt.datetime.fromisoformat(until)
    load = Spent.on(lambda: loader.load("auth_events", path))
    began = time.perf_counter()
    counting.count_attempts(until=end - dt.timedelta(minutes=LIVE_MINUTES))
    analyse_s = time.perf_counter() - began
    live = []
    for minute in range(LIVE_MINUTES - 1, -1, -1):
        began = time.perf_counter()
        counting.count_attempts(until=end - dt.timedelta(minutes=minute), wait=False)
        live.append(time.perf_counter() - began)
    idle = []
    for _ in range(9):
        began = time.perf_counter()
        counting.count_attempts(until=end, wait=False)
        idle.append(time.perf_counter() - began)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "load": astuple(load),
        "analyse_s": analyse_s,
        "live_ms": statistics.median(live) * 1_000,
        "idle_ms": statistics.median(idle) * 1_000,
        "windows": AttackWindow.objects.count(),
        "peak_mib": peak / (1024**2 if sys.platform == "darwin" else 1024),
        "server_mib": _server_mib(),
    }


def _server_mib() -> float:
    """Returns the peak memory of the connection's server process, without shared memory. Returns 0
    if that process is on another machine.
    """
    place = server_process()
    if place is None:
        return 0.0
    said = dict(line.split(":", 1) for line in (place / "status").read_text().splitlines())
    return (int(said["VmHWM"].split()[0]) - int(said["RssShmem"].split()[0])) / 1024
