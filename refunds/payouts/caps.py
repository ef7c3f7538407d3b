"""The caps of a transfer, a file and a value date, as the newest limits lay them down."""

from __future__ import annotations

import datetime as dt

from django.db.models import Max, Sum

from refunds.models import Payout, PayoutBatch
from refunds.models.payout_batch import DAY_ONE
from refunds.payouts import refund_limits
from winddown import locks
from winddown.errors import GuardNotMet, says
from winddown.locks import Lock


def taken(value_date: dt.date, *, beside: PayoutBatch | None = None) -> int:
    """Returns what the agreed files of the value date come to, without the file of `beside`."""
    agreed = PayoutBatch.objects.filter(value_date=value_date, state__in=PayoutBatch.AGREED)
    if beside is not None:
        agreed = agreed.exclude(pk=beside.pk)
    return agreed.aggregate(sum=Sum("total_minor"))["sum"] or 0


def refuse_above(batch: PayoutBatch) -> None:
    """The file lies within the caps that are in force now, together with the other agreed files of
    its value date. Raises `GuardNotMet` with the amounts. The value date is locked until the
    commit; a trigger of the batch counts again.
    """
    locks.take(Lock.PAYOUT_DAY, key=(batch.value_date - DAY_ONE).days)
    caps = refund_limits.current()
    largest = Payout.objects.filter(batch=batch).aggregate(n=Max("amount_minor"))["n"] or 0
    total = batch.total_minor or 0
    day = total + taken(batch.value_date, beside=batch)
    found = (
        (largest, caps.line_max_minor, says("a transfer of the file")),
        (total, caps.batch_max_minor, says("the file")),
        (day, caps.day_max_minor, says("all files of its value date")),
    )
    for amount, cap, what in found:
        if amount > cap:
            raise GuardNotMet(
                action=says("release the file"),
                why=says(
                    "{what} would come to {amount}, and the cap is {cap}: void the batch, or have"
                    " another cap adopted",
                    what=what,
                    amount=amount,
                    cap=cap,
                ),
            )
