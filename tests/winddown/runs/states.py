"""How a run and its wallets stand."""

from __future__ import annotations

from django.db import connection
from django.db.models import Sum

from wallets.models import Wallet
from winddown.models import Batch, Run


def fresh(run):
    return Run.objects.get(pk=run.pk)


def states():
    return set(Wallet.objects.values_list("state", flat=True))


def totals(run):
    """Returns rows moved and failed per step, as sums over the batches."""
    rows = Batch.objects.filter(run=run).values("step").order_by("step")
    return {
        row["step"]: (row["all_moved"], row["all_failed"])
        for row in rows.annotate(all_moved=Sum("moved"), all_failed=Sum("failed"))
    }


def expire_leases():
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE winddown_batch SET lease_until = clock_timestamp() - interval '1 second'"
            " WHERE state = 'leased'"
        )
