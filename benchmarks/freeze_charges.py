"""freeze-charges: every wallet changes its state and leaves a row in the log."""

from __future__ import annotations

import subprocess
import sys
import time
from functools import partial

import redis
from django.conf import settings
from django.db import connection, transaction

from benchmarks import plain, population, runs, task_per_wallet
from benchmarks.harness import (
    ROOT,
    Bench,
    Stopwatch,
    process_environment,
)
from benchmarks.plain import PlainLog, PlainWallet
from wallets.models import Wallet

LIMIT = "one UPDATE + one INSERT, full pages"
KEYED = "the same, with a foreign key on the log"
HALF = "the same, half-filled pages"
OURS = "workflow, 1 worker"
OURS_2 = "workflow, 2 workers"
QUERYSET = "queryset.update + bulk_create"
BULK = "django-fsm, bulk_update + bulk_create"
LOOP = "django-fsm, save, log row, in a loop"
TASK = "one Celery task per wallet"
TASK_REUSING = "one Celery task per wallet, connection kept"

LOOP_SAMPLE = 2_000
BULK_SAMPLE = 10_000
TASK_SAMPLE = 1_000


def fill(wallets: int) -> None:
    population.programme()
    population.wallets(wallets)
    plain.twins()


def run(bench: Bench) -> None:
    for size in bench.sizes:
        _measure(bench, size, bench.databases.filled("wallets", fill, wallets=size))
    bench.at_most("whole run, 1 worker, against the limit", 1.4, bench.ratio(OURS, LIMIT))
    bench.at_most("whole run, 2 workers, against the limit", 0.95, bench.ratio(OURS_2, LIMIT))
    bench.at_least("faster than a task per wallet", 300, bench.ratio(TASK, OURS))
    bench.at_least(
        "faster than a task per wallet, connection kept", 120, bench.ratio(TASK_REUSING, OURS)
    )
    bench.at_least("faster than bulk_update", 20, bench.ratio(BULK, OURS))
    bench.at_most("growth exponent, 1 worker", 1.05, bench.growth().get(OURS, 1.0), unit="")
    bench.notes += [
        "The limit is one transaction over everything: no payment could pass until it is done.",
        "The workflow is planned, approved, started, run in batches of 1,000 with an audit entry"
        " each, and verified; its seconds are those from the start to the verified end.",
        "Celery: a real worker with two processes on the broker of REDIS_URL; seconds from the"
        " first message to the last row.",
    ]


def _measure(bench: Bench, size: int, template: str) -> None:
    """Every side has been measured on a copy of `template` with `size` wallets."""
    side = partial(bench.side, size=size, template=template)
    side(LIMIT, "limit", work=lambda: bare("plain_plainwallet", "plain_plainlog"))
    side(KEYED, "limit", work=lambda: bare("plain_plainwallet", "plain_keyed"))
    side(HALF, "limit", work=lambda: bare("plain_half", "plain_plainlog"))
    side(OURS, "ours", work=lambda: workflow(bench, workers=1))
    side(OURS_2, "ours", work=lambda: workflow(bench, workers=2))
    side(QUERYSET, "peer", work=queryset)
    side(BULK, "peer", work=lambda: bulk(min(size, BULK_SAMPLE)))
    if size == bench.largest:
        # Their time per wallet does not depend on the number of wallets, so one sample is enough.
        once = partial(side, repeats=1)
        tasks_max = min(size, TASK_SAMPLE)
        once(LOOP, "peer", work=lambda: loop(min(size, LOOP_SAMPLE)))
        once(TASK, "peer", work=lambda: tasks(tasks_max, reuse_max=0))
        once(TASK_REUSING, "peer", work=lambda: tasks(tasks_max, reuse_max=1000))


# --- The limit ------------------------------------------------------------------------------------


def bare(table: str, log: str) -> tuple[int, float]:
    """The same rows are changed and logged by two statements, without guard or trigger."""
    with Stopwatch() as watch, transaction.atomic(), connection.cursor() as cursor:
        states = {"active": Wallet.State.ACTIVE, "frozen": Wallet.State.CHARGE_FROZEN}
        cursor.execute(
            f"UPDATE {table} SET state = %(frozen)s WHERE state = %(active)s",
            states,
        )
        rows = cursor.rowcount
        cursor.execute(
            f"""
            INSERT INTO {log}
                (subject_id, transition, source, target, run_id, reason, at, xact_id)
            SELECT id, 'freeze_charges', %(active)s, %(frozen)s, 1, 'benchmark',
                   clock_timestamp(), pg_current_xact_id()::text::bigint
            FROM {table} WHERE state = %(frozen)s
            """,
            states,
        )
    return rows, watch.seconds


# --- Ours -----------------------------------------------------------------------------------------


def workflow(bench: Bench, *, workers: int) -> tuple[int, float]:
    """The real workflow through plan, approval, start, batches and verification."""
    done = runs.ended("freeze-charges", maker="maker", checker="checker", workers=workers)
    bench.figure(f"run over {done.rows:,} wallets, workers: {workers}", **done.parts)
    return done.rows, done.seconds


# --- The peers ------------------------------------------------------------------------------------


def queryset() -> tuple[int, float]:
    """One UPDATE by the ORM, and log objects made in Python."""
    with Stopwatch() as watch, transaction.atomic():
        active = PlainWallet.objects.filter(state=Wallet.State.ACTIVE)
        chosen = list(active.values_list("pk", flat=True))
        active.update(state=Wallet.State.CHARGE_FROZEN)
        PlainLog.objects.bulk_create((plain.log_of(pk) for pk in chosen), batch_size=1_000)
    return len(chosen), watch.seconds


def bulk(rows: int) -> tuple[int, float]:
    """django-fsm's method on every object, then the two bulk calls per thousand."""
    with Stopwatch() as watch:
        chosen = list(PlainWallet.objects.filter(state=Wallet.State.ACTIVE).order_by("pk")[:rows])
        for first in range(0, len(chosen), 1_000):
            wallets = chosen[first : first + 1_000]
            with transaction.atomic():
                for wallet in wallets:
                    wallet.freeze_charges()
                PlainWallet.objects.bulk_update(wallets, ["state"])
                PlainLog.objects.bulk_create(plain.log_of(wallet.pk) for wallet in wallets)
    return len(chosen), watch.seconds


def loop(rows: int) -> tuple[int, float]:
    with Stopwatch() as watch:
        chosen = list(PlainWallet.objects.order_by("pk").values_list("pk", flat=True)[:rows])
        for pk in chosen:
            plain.freeze_one(pk)
    return len(chosen), watch.seconds


# --- One task per wallet --------------------------------------------------------------------------


def tasks(rows: int, *, reuse_max: int) -> tuple[int, float]:
    """A message for each wallet goes to a real worker with two processes."""
    broker = redis.Redis.from_url(settings.REDIS_URL)
    chosen = list(PlainWallet.objects.order_by("pk").values_list("pk", flat=True)[: rows + 1])
    worker = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "celery",
            "-A",
            "benchmarks.task_per_wallet",
            "worker",
            "--concurrency=2",
            "--pool=prefork",
            "--loglevel=ERROR",
            "--without-gossip",
            "--without-mingle",
        ],
        cwd=ROOT,
        env=process_environment()
        | {"BENCHMARK_DB_REUSE_MAX": str(reuse_max), "DJANGO_SETTINGS_MODULE": "config.settings"},
        stdout=subprocess.DEVNULL,
    )
    try:
        task_per_wallet.freeze.delay(chosen[0])
        _until_logged(1)
        with Stopwatch() as watch:
            for pk in chosen[1:]:
                task_per_wallet.freeze.delay(pk)
            _until_logged(len(chosen))
    finally:
        worker.terminate()
        worker.wait(30)
        for key in broker.scan_iter(f"{task_per_wallet.PREFIX}*"):
            broker.delete(key)
    return len(chosen) - 1, watch.seconds


def _until_logged(rows: int, *, seconds_max: float = 120) -> None:
    begun = time.monotonic()
    while PlainLog.objects.count() < rows:
        assert time.monotonic() - begun < seconds_max, "the worker does not end"
        time.sleep(0.01)
