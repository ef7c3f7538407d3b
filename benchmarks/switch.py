"""The switch under load: the cost of reading it, the time of a flip, and the proof that nothing
commits after it.
"""

from __future__ import annotations

import datetime as dt
import random
import statistics
import threading
import time
from typing import Any

from django.db import connection, transaction
from django.db.models import Max, Min

from benchmarks import freeze_charges, population
from benchmarks.concurrent_payment import input_ends
from benchmarks.harness import Bench, Process, Stopwatch, percentile
from wallets.models import Wallet
from wallets.movements import charging, spending
from winddown import clock
from winddown.actors import SYSTEM
from winddown.errors import CapabilityStopped, WinddownError
from winddown.models import Capability
from winddown.programme import capabilities
from winddown.programme.capabilities import Passage

PROCESSES = 2
THREADS = 4
WALLETS = 10_000
SOURCE = "register_cash"
CODES = ("spend", f"top_up:{SOURCE}")

CHECKED = "switch under its shared lock"
PLAIN = "switch by a plain SELECT"
UNCHECKED = "no switch at all"


def run(bench: Bench) -> None:
    template = bench.databases.filled("wallets", freeze_charges.fill, wallets=WALLETS)
    seconds = 3 if bench.quick else 10
    rounds = 1 if bench.quick else 3
    rates: dict[str, list[float]] = {side: [] for side in READS}
    for _ in range(rounds):
        for side, found in rates.items():
            with bench.databases.side(template):
                found.append(throughput(side, seconds))
    for side, found in rates.items():
        bench.figure(side, **{"movements/s": max(found)})

    for side, flips in ((CHECKED, 20 if bench.quick else 100), (PLAIN, 20 if bench.quick else 100)):
        with bench.databases.side(template):
            bench.figure(f"{side}, flipped", **flipped(side, flips))

    ours = bench.figures[f"{CHECKED}, flipped"]
    bench.at_most("movements committed after the flip", 0, ours["late"], unit="")
    bench.at_most("movements dated after the flip", 0, ours["dated late"], unit="")
    bench.at_most("longest flip", 50, ours["flip max ms"], unit=" ms")
    rate = bench.figures[CHECKED]["movements/s"] / bench.figures[UNCHECKED]["movements/s"]
    bench.at_least("movements a second against no switch", 0.65, rate)
    bench.notes += [
        f"{PROCESSES} processes of {THREADS} threads, half paying and half topping up, each thread"
        " on wallets of its own.",
        "Late by the server's own order of commits: the flip takes a snapshot as its last"
        " statement, and every movement that passed under the version before and is not visible in"
        " that snapshot is late. The plain SELECT shows that the count can see one.",
    ]


# --- Load -----------------------------------------------------------------------------------------


def unchecked(code: str) -> Passage:
    return Passage(version=1, at=clock.now())


def plain_select(code: str) -> Passage:
    """Reads the flag and then acts, as most projects write it."""
    switch = Capability.objects.get(code=code)
    if switch.state != Capability.State.ENABLED:
        raise CapabilityStopped(capability=code, since=switch.since, reason="")
    return Passage(version=switch.version, at=clock.now())


READS = {CHECKED: capabilities.passed, PLAIN: plain_select, UNCHECKED: unchecked}


def load(side: str, share: str) -> dict[str, Any]:
    """Threads have paid and topped up until the input closed.

    Returns how many movements were made and refused, and in which time.
    """
    capabilities.passed = READS[side]
    bounds = Wallet.objects.aggregate(first=Min("pk"), last=Max("pk"))
    width = (bounds["last"] - bounds["first"] + 1) // (PROCESSES * THREADS)
    stop = threading.Event()
    counts = {"made": 0, "refused": 0}
    lock = threading.Lock()

    def mover(place: int) -> None:
        chance = random.Random(place)
        made = refused = 0
        while not stop.is_set():
            wallet = bounds["first"] + place * width + chance.randrange(width)
            try:
                move(wallet, f"{place}-{made + refused}", spend=place % 2 == 0)
                made += 1
            except WinddownError:
                refused += 1
                time.sleep(0.002)
        with lock:
            counts["made"] += made
            counts["refused"] += refused
        connection.close()

    threads = [
        threading.Thread(target=mover, args=(int(share) * THREADS + number,))
        for number in range(THREADS)
    ]
    with Stopwatch() as watch:
        for thread in threads:
            thread.start()
        input_ends()
        stop.set()
        for thread in threads:
            thread.join()
    return counts | {"seconds": watch.seconds}


def move(wallet_id: int, reference: str, *, spend: bool) -> None:
    if spend:
        spending.pay(
            wallet_id, amount_minor=1, merchant_ref="shop", payment_ref=reference, actor=SYSTEM
        )
    else:
        charging.top_up(
            wallet_id, source=SOURCE, amount_minor=1, top_up_ref=reference, actor=SYSTEM
        )


def crew(side: str) -> list[Process]:
    waiting = [Process("switch", "load", side, share) for share in range(PROCESSES)]
    return [process.go() for process in waiting]


def throughput(side: str, seconds: float) -> float:
    loaders = crew(side)
    time.sleep(seconds)
    done = [process.stop() for process in loaders]
    return sum(said["made"] / said["seconds"] for said in (process.result() for process in done))


# --- Flips ----------------------------------------------------------------------------------------


def flipped(side: str, flips: int) -> dict[str, float]:
    """The switches were stopped and restored in turn under load."""
    maker, checker = population.person("maker"), population.person("checker")
    loaders = crew(side)
    time.sleep(1)
    took, before = [], []
    for number in range(flips):
        code = CODES[number % len(CODES)]
        version = Capability.objects.get(code=code).version
        with Stopwatch() as watch, transaction.atomic():
            capabilities.stop(code, actor=maker, reason="benchmark", ratified_by=checker)
            snapshot, since = _moment(code)
        took.append(watch.seconds * 1000)
        before.append((code, version, snapshot, since))
        time.sleep(0.02)
        capabilities.request_restore(code, actor=maker, reason="benchmark")
        capabilities.restore(code, actor=checker, reason="benchmark")
        time.sleep(0.03)
    done = [process.stop() for process in loaders]
    said = [process.result() for process in done]
    late = [_late(*moment) for moment in before]
    return {
        "flips": flips,
        "late": sum(count for count, _ in late),
        "dated late": sum(dated for _, dated in late),
        "flip median ms": statistics.median(took),
        "flip p90 ms": percentile(took, 0.9),
        "flip max ms": max(took),
        "made": sum(each["made"] for each in said),
        "refused": sum(each["refused"] for each in said),
    }


def _moment(code: str) -> tuple[str, dt.datetime]:
    """Returns the movements that had committed just before the flip, and the instant of the flip."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_current_snapshot()::text, since FROM winddown_capability WHERE code = %s",
            [code],
        )
        snapshot, since = cursor.fetchone()
    return snapshot, since


def _late(code: str, version: int, snapshot: str, since: dt.datetime) -> tuple[int, int]:
    """Returns how many movements under `version` committed after the flip, and how many are dated
    after it.
    """
    table, source = (
        ("wallets_payment", "payment") if code == "spend" else ("wallets_topup", "top_up")
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT count(*) FILTER (
                       WHERE NOT pg_visible_in_snapshot(
                           j.xact_id::text::xid8, %s::pg_snapshot)),
                   count(*) FILTER (WHERE m.occurred_at >= %s)
            FROM wallets_journal j JOIN {table} m ON j.source = %s AND j.source_id = m.id
            WHERE m.switch_version = %s
            """,
            [snapshot, since, source, version],
        )
        late, dated = cursor.fetchone()
    return late, dated
