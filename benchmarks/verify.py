"""`manage.py verify`: every invariant over accounts with wallets, top-ups and a finished freeze."""

from __future__ import annotations

import resource
import sys
import time

from django.db import transaction

from benchmarks import ledger, population, runs
from benchmarks.harness import Bench, Measurement, Process
from wallets.movements import histories
from winddown.actors import SYSTEM
from winddown.evidence import audit, invariants

VERIFY = "every invariant"
SLOWEST = 8


def fill(*, accounts: int) -> None:
    """Each person has a wallet that was charged twice and frozen by a run, with two journals and at
    most three log rows.
    """
    population.programme()
    population.wallets(accounts)
    ledger.stage()
    with transaction.atomic():
        rows = histories.record_top_ups(ledger.ROWS, actor=SYSTEM)
        audit.append("benchmark.record", "top_ups", actor=SYSTEM, rows=rows)
    runs.ended("freeze-charges", maker="maker", checker="checker", workers=1)


def run(bench: Bench) -> None:
    for size in bench.sizes:
        template = bench.databases.filled("frozen", fill, accounts=size)
        with bench.databases.side(template):
            said = Process("verify", "measure").go().result()
        bench.add(Measurement(VERIFY, "ours", size, size, sum(said["seconds"].values())))
        slowest = sorted(said["seconds"].items(), key=lambda pair: -pair[1])[:SLOWEST]
        bench.figure(
            f"{size:,} accounts",
            **{f"{code}, s": seconds for code, seconds in slowest},
            **{"peak MiB": said["peak_mib"]},
        )
    bench.at_most("every invariant", 60, bench.at(VERIFY).seconds, " s")
    bench.at_most("growth exponent", 1.05, bench.growth().get(VERIFY, 1.0), unit="")


def measure() -> dict[str, object]:
    """Returns the seconds of each invariant, none of which is breached, and the peak memory."""
    seconds = {}
    for each in invariants.known():
        began = time.perf_counter()
        assert each.breaches() == [], each.code
        seconds[each.code] = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "seconds": seconds,
        "peak_mib": peak / (1024**2 if sys.platform == "darwin" else 1024),
    }
