"""The only place that knows "now": the database's clock plus the rehearsal's offset, the same in
SQL and in Python.
"""

from __future__ import annotations

import datetime as dt
import re
from zoneinfo import ZoneInfo

from django.db import connection

from winddown.errors import ClockRefused

_INSTANT = re.compile(r"^(\d{4}-\d{2}-\d{2})[T ](\d{2}):(\d{2})(?::(\d{2}))?$")


def now() -> dt.datetime:
    """Returns the present business time in UTC: `winddown_now()` of the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT winddown_now()")
        instant: dt.datetime = cursor.fetchone()[0]
    return instant


def mark_as_rehearsal() -> None:
    """This database is a rehearsal from now on, for good: its clock may be moved.

    A second call changes nothing. Raises `ClockRefused` once it has a programme (the row's trigger
    refuses too).
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT NOT rehearsal AND EXISTS (SELECT FROM winddown_programme) FROM winddown_clock"
        )
        if cursor.fetchone()[0]:
            raise ClockRefused
        cursor.execute("UPDATE winddown_clock SET rehearsal = true WHERE NOT rehearsal")


def travel(to: dt.datetime, *, frozen: bool = False) -> None:
    """Business time is `to`, and continues from there; with `frozen` it stands still.

    Raises `ClockRefused` in a database that is not marked as a rehearsal.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE winddown_clock SET frozen_at = CASE WHEN %s THEN %s::timestamptz END,"
            " shift = %s::timestamptz - clock_timestamp() WHERE rehearsal",
            [frozen, to, to],
        )
        if cursor.rowcount != 1:
            raise ClockRefused


def is_rehearsal() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rehearsal FROM winddown_clock")
        return bool(cursor.fetchone()[0])


def instant(text: str, *, zone: str) -> dt.datetime:
    """Returns the instant that `text` means. Hour 24 is the next day's midnight ("30 September
    24:00" is 1 October 00:00).

    `text` is `YYYY-MM-DDTHH:MM[:SS]` in `zone`. The instant of a deadline is an exclusive end.
    """
    match = _INSTANT.match(text)
    if match is None:
        raise ValueError(f"{text!r} is not an instant like 2019-09-30T24:00")
    day, hour, minute, second = match[1], int(match[2]), int(match[3]), int(match[4] or 0)
    if hour == 24 and (minute or second):
        raise ValueError(f"{text!r}: hour 24 stands for midnight only")
    midnight = dt.datetime.combine(dt.date.fromisoformat(day), dt.time(), tzinfo=ZoneInfo(zone))
    if hour == 24:
        return midnight + dt.timedelta(days=1)
    return midnight.replace(hour=hour, minute=minute, second=second)
