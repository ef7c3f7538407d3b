"""The Celery application most projects would write for a mass change: one message per wallet."""

from __future__ import annotations

import os

from celery import Celery

PREFIX = "benchmark:"

app = Celery("benchmark")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    task_queues=None,
    task_default_queue="benchmark",
    task_create_missing_queues=True,
    broker_transport_options={"global_keyprefix": PREFIX},
    beat_schedule={},
    worker_prefetch_multiplier=4,
    worker_max_tasks_per_child=None,
    # Without it Celery closes the database connection after every task. Celery's Django fixup asks
    # for it by this name, under which our own settings have it already.
    CELERY_DB_REUSE_MAX=int(os.environ.get("BENCHMARK_DB_REUSE_MAX", "0")) or None,
)


@app.task(name="benchmark.freeze", ignore_result=True)
def freeze(wallet_id: int) -> None:
    from benchmarks.plain import freeze_one

    freeze_one(wallet_id)
