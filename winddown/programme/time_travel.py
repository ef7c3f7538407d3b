"""The clock of a rehearsal: business time goes on, and what falls due on the way is done."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

from django.db import transaction

from winddown import clock
from winddown.actors import SYSTEM
from winddown.errors import ClockRefused, GuardNotMet
from winddown.evidence import audit
from winddown.models import Milestone, Programme
from winddown.programme import verification
from winddown.runs import clockwork, working

MOVE = "move the clock"
DAYS_MAX = 3_660
_LATER = re.compile(r"^\+(\d{1,4})([dh])$")
_HOUR = dt.timedelta(hours=1)


def meant(text: str) -> dt.datetime:
    """Returns the instant that `text` means: `+90d`, `+6h`, or `2019-09-30T24:00` in the programme's
    zone.

    Raises `ValueError` for another text.
    """
    later = _LATER.match(text)
    if later is None:
        return clock.instant(text, zone=Programme.current().time_zone)
    hours = int(later[1]) * (24 if later[2] == "d" else 1)
    return clock.now() + hours * _HOUR


def go_on(to: dt.datetime) -> Iterator[dt.datetime]:
    """It is `to`, and all that fell due on the way was done, as the clockwork and a worker do it.

    Yields each instant at which something was done: every deadline, every midnight of the
    programme, and `to`. Raises `ClockRefused` outside a rehearsal. Raises `GuardNotMet` for an
    instant that has passed, and for one that is more than ten years away.
    """
    if not clock.is_rehearsal():
        raise ClockRefused
    at = clock.now()
    if to < at:
        raise GuardNotMet(
            action=MOVE, why=f"it is {_local(at)} already, and time only goes forward"
        )
    if to - at > dt.timedelta(days=DAYS_MAX):
        raise GuardNotMet(action=MOVE, why=f"that is more than {DAYS_MAX:,} days away")
    with transaction.atomic():
        audit.append("rehearsal.clock", "programme", actor=SYSTEM, was=at, will_be=to)
    while True:
        at = _next(at, to)
        clock.travel(at)
        _do_due()
        yield at
        if at == to:
            break
    verification.verify_due()


def _next(at: dt.datetime, to: dt.datetime) -> dt.datetime:
    """Returns the next instant after `at` at which something falls due, and `to` at the latest."""
    local = at.astimezone(Programme.current().zone)
    midnight = (local + dt.timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    ahead = Milestone.objects.filter(fired_at=None, at__gt=at, at__lte=to)
    deadlines = ahead.order_by("at").values_list("at", flat=True)[:1]
    return min([midnight, to, *deadlines])


def _do_due() -> None:
    """What beat and a worker do at this instant is done in this process."""
    clockwork.tick()
    clockwork.do_watches()
    working.work_off()
    clockwork.do_follow_ups()


def _local(at: dt.datetime) -> str:
    return f"{at.astimezone(Programme.current().zone):%Y-%m-%d %H:%M %Z}"
