"""Payments during a run: 100 a second, even if earlier ones are not done."""

from __future__ import annotations

import queue
import random
import sys
import threading
import time
from typing import Any

from django.db import connection, transaction
from django.db.models import Max, Min

from benchmarks import freeze_charges, runs
from benchmarks.harness import Bench, Process, percentile
from wallets.models import Wallet
from wallets.movements import spending
from winddown.actors import SYSTEM
from winddown.errors import WinddownError

RATE = 100
THREADS = 24
IDLE_S = 20
WALLETS_MIN = 50_000

IDLE = "idle"
OURS = "freeze-charges, 1 worker"
OURS_2 = "freeze-charges, 2 workers"
AT_ONCE = "one statement over all wallets"


def run(bench: Bench) -> None:
    size = max(bench.largest, WALLETS_MIN)
    template = bench.databases.filled("wallets", freeze_charges.fill, wallets=size)
    for side, change in (
        (IDLE, lambda: time.sleep(IDLE_S / (4 if bench.quick else 1))),
        (OURS, lambda: workflow(workers=1)),
        (OURS_2, lambda: workflow(workers=2)),
        (AT_ONCE, at_once),
    ):
        with bench.databases.side(template):
            payers = Process("concurrent_payment", "pay_at_rate").go()
            time.sleep(2)
            begun = time.monotonic()
            change()
            ended = time.monotonic()
            measured = payers.stop().result()
        waited = [ms for due, ms in measured["waited"] if begun <= due < ended]
        bench.figure(
            side,
            **{
                "seconds": ended - begun,
                "payments": len(waited),
                "p50 ms": percentile(waited, 0.5),
                "p99 ms": percentile(waited, 0.99),
                "max ms": max(waited),
                "refused": measured["refused"],
            },
        )
    idle, ours = bench.figures[IDLE], bench.figures[OURS]
    bench.at_most("p99 during the run, against idle", 2, ours["p99 ms"] / idle["p99 ms"])
    bench.at_most("longest during the run", 60, ours["max ms"], unit=" ms")
    bench.notes += [
        f"{size:,} wallets; `movements.pay` {RATE} times a second from a process of its own.",
        "A payment's time counts from the instant at which it was due: one that waits does not"
        " hide those behind it.",
    ]


def workflow(*, workers: int) -> None:
    runs.ended("freeze-charges", maker="maker", checker="checker", workers=workers)


def at_once() -> None:
    """The same change by one statement with guard and log, as a short script would make it."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE wallets_wallet SET state = %s WHERE state = %s",
            [Wallet.State.CHARGE_FROZEN, Wallet.State.ACTIVE],
        )


# --- The process that pays ------------------------------------------------------------------------


def pay_at_rate() -> dict[str, Any]:
    """Payments from random wallets were made at the rate until the input closed.

    Returns how long each took from when it was due.
    """
    due: queue.Queue[float | None] = queue.Queue()
    bounds = Wallet.objects.aggregate(first=Min("pk"), last=Max("pk"))
    waited: list[tuple[float, float]] = []
    refused: list[float] = []

    def payer(number: int) -> None:
        chance = random.Random(number)
        paid = 0
        while (at := due.get()) is not None:
            paid += 1
            try:
                spending.pay(
                    chance.randint(bounds["first"], bounds["last"]),
                    amount_minor=1,
                    merchant_ref="shop",
                    payment_ref=f"payment-{number}-{paid}",
                    actor=SYSTEM,
                )
                waited.append((at, (time.monotonic() - at) * 1000))
            except WinddownError:
                refused.append(at)
        connection.close()

    threads = [threading.Thread(target=payer, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    told_to_stop = threading.Event()
    threading.Thread(target=lambda: (input_ends(), told_to_stop.set()), daemon=True).start()
    next_at = time.monotonic()
    while not told_to_stop.is_set():
        next_at += 1 / RATE
        time.sleep(max(0.0, next_at - time.monotonic()))
        due.put(next_at)
    for _ in threads:
        due.put(None)
    for thread in threads:
        thread.join()
    return {"waited": waited, "refused": len(refused)}


def input_ends() -> None:
    """Waits until the harness has closed this process's input, which ends the work."""
    sys.stdin.read()
