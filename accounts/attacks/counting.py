"""Attempts to sign in are counted minute by minute, each minute once."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection, transaction

from accounts.attacks import attack_windows, queries
from accounts.attacks.detection import declare
from accounts.attacks.rules import DAY, MANY_IDS, RULES, SETTLED_AFTER, SHARED_DEVICE
from accounts.models import (
    AttackWatch,
    DetectionRule,
)
from accounts.models.attack import Sketch
from winddown import clock


@dataclass(frozen=True, slots=True)
class Counted:
    """The result of one call: the end (exclusive) of the counted time, the number of attempts, and
    the opened windows.
    """

    until: dt.datetime | None
    attempts: int
    opened: tuple[str, ...]


def count_attempts(*, until: dt.datetime | None = None, wait: bool = True) -> Counted:
    """Every attempt of the whole minutes before `until` (default: now) is counted, the sources that
    they show are suspicious, and the windows agree with them.

    A second call counts nothing twice. Without `wait`, nothing is done while another call is at
    work. Minutes that are not settled yet are left for the next call.
    """
    settled = clock.now() - SETTLED_AFTER
    end = _whole_minute(min(until, settled) if until else settled)
    attempts = 0
    while (step := _count_span(end, wait=wait)) is not None:
        attempts += step
    with transaction.atomic():
        watch = _locked(wait=wait)
        if watch is None:
            return Counted(until=None, attempts=attempts, opened=())
        return Counted(until=watch.read_until, attempts=attempts, opened=attack_windows.fold(watch))


def count_newest() -> tuple[str, ...]:
    """The newest attempts are counted, unless another call is at work; returns what opened."""
    return count_attempts(wait=False).opened


def count_again_from(at: dt.datetime) -> None:
    """Attempts from `at` on came in late. The next call counts everything from there again."""
    count_again(lambda: at)


def count_again(earliest: Callable[[], dt.datetime]) -> None:
    """Attempts came in late. The next call counts everything from the earliest of them again.

    To find it in millions takes a second, so it is asked for only where something was counted. A
    count that begins meanwhile waits for this transaction, and finds the attempts.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        watch = _locked(wait=True)
        # After a COPY of millions the summaries that find a range of time are not up to date.
        cursor.execute("SELECT accounts_summarise_attempts()")
        if watch is None or watch.read_until is None:
            return
        at = earliest()
        AttackWatch.objects.filter(read_until__gt=_whole_minute(at)).update(
            read_until=_whole_minute(at), folded_until=None, memory={}
        )


def _locked(*, wait: bool) -> AttackWatch | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_attackwatch (id, memory) SELECT 1, '{}'"
            " WHERE NOT EXISTS (SELECT FROM accounts_attackwatch) ON CONFLICT DO NOTHING"
        )
    return AttackWatch.objects.select_for_update(skip_locked=not wait).filter(pk=1).first()


def _whole_minute(at: dt.datetime) -> dt.datetime:
    return at.replace(second=0, microsecond=0)


def _count_span(end: dt.datetime, *, wait: bool) -> int | None:
    """The next day, or its part before `end`, is counted and committed. Returns the number of
    attempts, or None when nothing is left.
    """
    with transaction.atomic():
        watch = _locked(wait=wait)
        if watch is None:
            return None
        since = watch.read_until or _first_minute()
        if since is None or since >= end:
            return None
        until = min(end, since.replace(hour=0, minute=0) + DAY)
        attempts = _count(since, until)
        watch.read_until = until
        watch.save(update_fields=["read_until"])
        return attempts


def _first_minute() -> dt.datetime | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(occurred_at) FROM accounts_authevent")
        first: dt.datetime | None = cursor.fetchone()[0]
    return _whole_minute(first) if first else None


def _count(since: dt.datetime, until: dt.datetime) -> int:
    """The span's devices, minutes and sources are counted anew from its attempts. Returns the
    number of attempts.
    """
    rules = declare(RULES, at=clock.now())
    span = {"since": since, "until": until}
    with connection.cursor() as cursor:
        cursor.execute(
            "SET LOCAL statement_timeout = 0; SET LOCAL jit = off; SET LOCAL work_mem = '64MB'"
        )
        for table in ("accounts_authminute", "accounts_sourceminute"):
            cursor.execute(
                f"DELETE FROM {table} WHERE minute >= %(since)s AND minute < %(until)s",  # noqa: S608
                span,
            )
        cursor.execute(queries.COUNT_MINUTES, span)
        attempts = int(cursor.fetchone()[0])
        if attempts:
            cursor.execute(queries.COUNT_DEVICES, span)
            cursor.execute(queries.COUNT_SOURCES, span)
            cursor.execute(queries.SUSPECT_MANY_IDS, {**span, **_many_ids(rules[MANY_IDS.code])})
            shared = {"rule": rules[SHARED_DEVICE.code].pk, **SHARED_DEVICE.thresholds}
            cursor.execute(queries.SUSPECT_SHARED_DEVICES, {**span, **shared})
            cursor.execute(queries.COUNT_HITS, span)
    return attempts


def _many_ids(rule: DetectionRule) -> dict[str, int | float]:
    """Returns the thresholds of S3 in bits of the sketch."""
    said = MANY_IDS.thresholds
    return {
        "rule": rule.pk,
        "bits_min": _bits_of(int(said["ids_min"])),
        "bits_of_network_min": _bits_of(int(said["ids_of_network_min"])),
        "tries_per_id_max": said["tries_per_id_max"],
        # A sketch with more bits is too full to tell the tries per id.
        "bits_full": Sketch.BITS - 8,
    }


def _bits_of(ids: int) -> int:
    """Returns the fewest bits of a sketch that stand for `ids` different ids or more."""
    return next(bits for bits in range(1, Sketch.BITS) if ids_of(bits) >= ids)


def ids_of(bits: int) -> int:
    """Returns how many different ids most likely set so many bits (linear counting). A full sketch
    counts as nearly full.
    """
    free = max(1, Sketch.BITS - bits)
    return round(-Sketch.BITS * math.log(free / Sketch.BITS))
