"""The clocks of the card schemes: how many days each stage of a dispute lasts, with its source."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from refunds.models import SchemeClock
from winddown.errors import GuardNotMet, says
from winddown.models import Programme

PLACE = Path(__file__).with_suffix(".toml")


@cache
def delivered() -> tuple[SchemeClock, ...]:
    """Returns the clocks that come with the system, as rows that are not stored."""
    read = tomllib.loads(PLACE.read_text())
    return tuple(SchemeClock(code=code, **row) for code, row in read.items())


def in_force(on: dt.date) -> list[SchemeClock]:
    """Returns one clock for each scheme and stage, as of the day. A stored row takes the place of
    one that comes with the system; among stored rows the latest counts.
    """
    stored = SchemeClock.objects.filter(valid_from__lte=on).order_by("valid_from", "pk")
    ours = (clock for clock in delivered() if clock.valid_from <= on)
    chosen = _by_stage(ours) | _by_stage(stored)
    return [chosen[key] for key in sorted(chosen)]


def _by_stage(clocks: Iterable[SchemeClock]) -> dict[tuple[str, str], SchemeClock]:
    return {(clock.scheme, str(clock.stage)): clock for clock in clocks}


def of(scheme: str, stage: SchemeClock.Stage, *, on: dt.date) -> SchemeClock | None:
    """Returns the clock of the scheme and stage as of the day, None if nobody knows one."""
    known = (each for each in in_force(on) if (each.scheme, each.stage) == (scheme, stage))
    return next(known, None)


def due(scheme: str, stage: SchemeClock.Stage, *, since: dt.datetime) -> dt.datetime:
    """Returns the end of the last day of the stage that began at `since`, in the programme's zone.

    Raises `GuardNotMet` for a scheme without a clock: then the notice has to say it.
    """
    zone = Programme.current().zone
    began = since.astimezone(zone).date()
    clock = of(scheme, stage, on=began)
    if clock is None:
        raise GuardNotMet(
            action=says("count the days"),
            why=says("no clock of this scheme is known: say until when"),
        )
    return dt.datetime.combine(began + dt.timedelta(days=clock.days + 1), dt.time(), zone)
