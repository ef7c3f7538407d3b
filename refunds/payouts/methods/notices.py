"""Holders are told that a postal order or a code is there, and reminded before it expires."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts import addresses, outbox
from accounts.models import Message
from refunds.models import Voucher
from winddown import clock
from winddown.actors import SYSTEM
from winddown.evidence import audit
from winddown.machines.move import move_rows
from winddown.models import Programme

# Days before it expires. The last ten days are too short for a letter.
REMIND_DAYS = (60, 30, 10)
BATCH_ROWS = 2_000
LANGUAGE = "ja"


def follow_up() -> int:
    """Everybody whom a verified address reaches is told of a voucher that was issued, and reminded
    of one that is not cashed. Returns how many messages were queued.

    Each batch is one transaction. A second call queues nothing twice.
    """
    return _tell() + _remind()


def _tell() -> int:
    queued, last = 0, 0
    while True:
        with transaction.atomic():
            rows = _batch(Voucher.objects.filter(state=Voucher.State.ISSUED, pk__gt=last))
            if not rows:
                return queued
            last = rows[-1].pk
            told = _queue(Message.Kind.VOUCHER_ISSUED, rows)
            if told:
                queued += move_rows(Voucher, "notify", [each.pk for each in told], actor=SYSTEM)
                audit.append(
                    "voucher.notify",
                    "vouchers",
                    actor=SYSTEM,
                    reason="their providers have the lists",
                    vouchers=len(told),
                )


def _remind() -> int:
    queued = 0
    waiting = Voucher.objects.filter(state=Voucher.State.NOTIFIED, lost_at=None)
    for expires_on in (
        waiting.order_by("expires_on").values_list("expires_on", flat=True).distinct()
    ):
        due = _due(expires_on)
        if due is None:
            continue
        unreminded = waiting.filter(
            Q(reminded_at=None) | Q(reminded_at__lt=due),
            expires_on=expires_on,
            batch__value_date__lt=due.date(),
        )
        with transaction.atomic():
            while rows := _batch(unreminded):
                queued += len(_queue(Message.Kind.VOUCHER_REMINDER, rows))
                Voucher.objects.filter(pk__in=[each.pk for each in rows]).update(
                    reminded_at=clock.now()
                )
    return queued


def next_reminder(voucher: Voucher) -> dt.date | None:
    """Returns the day of the next reminder of the voucher; None when none comes any more."""
    if voucher.state not in Voucher.OUT or voucher.lost_at is not None:
        return None
    now = clock.now()
    return min((at.date() for at in _instants(voucher.expires_on) if at > now), default=None)


def _instants(expires_on: dt.date) -> list[dt.datetime]:
    zone = Programme.current().zone
    return [
        dt.datetime.combine(expires_on - dt.timedelta(days=days), dt.time(9), tzinfo=zone)
        for days in REMIND_DAYS
    ]


def _due(expires_on: dt.date) -> dt.datetime | None:
    """Returns when the newest reminder that has come is due; None before the first one. An older one
    that was missed is not made up for.
    """
    return max((at for at in _instants(expires_on) if at <= clock.now()), default=None)


def _batch(rows: QuerySet[Voucher]) -> list[Voucher]:
    chosen = rows.select_related("payout__holder").order_by("pk")
    return list(chosen.select_for_update(no_key=True, of=("self",))[:BATCH_ROWS])


def _queue(kind: str, rows: Sequence[Voucher]) -> list[Voucher]:
    """Returns the vouchers whose holders an address reaches: each has its message."""
    told: list[Voucher] = []
    by_facts: dict[tuple[str, dt.date], list[outbox.Recipient]] = {}
    for each in rows:
        if (address := addresses.channel_of(each.payout.holder)) is None:
            continue
        told.append(each)
        facts = (each.payout.method, each.expires_on)
        by_facts.setdefault(facts, []).append(outbox.Recipient(address, user=each.payout.holder))
    for (method, expires_on), to in by_facts.items():
        outbox.queue_many(
            kind,
            to,
            language=LANGUAGE,
            facts={"method": method, "expires_on": expires_on.isoformat()},
        )
    return told


@outbox.STILL_WANTED.entry(Message.Kind.VOUCHER_REMINDER)
def _message_is_wanted(message: Message) -> bool:
    return Voucher.objects.filter(
        payout__holder=message.user,
        expires_on=message.facts["expires_on"],
        state__in=Voucher.OUT,
        lost_at=None,
    ).exists()
