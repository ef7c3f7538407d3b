"""The figures that need a count of every movement. They are counted seldom, kept, and shown with
the time of their count.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import time
from dataclasses import dataclass

from django.core.cache import cache
from django.db import OperationalError, connection
from redis.exceptions import RedisError

from winddown import clock
from winddown.models import Capability
from winddown.one_instant import one_instant
from winddown.programme import capabilities
from winddown.site import panels
from winddown.words import Text

log = logging.getLogger(__name__)

FRESH_S = 10
# Counting takes at most this share of the time, however large the ledger is.
COUNTING_SHARE = 0.05
COUNT_S_MAX = 30
KEPT_S = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Figures:
    """The amounts of the money lines by code and the leaks by capability, counted at `at`."""

    at: dt.datetime
    seconds: float
    money: dict[str, int]
    leaks: dict[str, int]

    def kept(self) -> dict[str, object]:
        """Returns the count as the cache keeps it, in JSON's types."""
        return {
            "at": self.at.isoformat(),
            "seconds": self.seconds,
            "money": self.money,
            "leaks": self.leaks,
        }

    @classmethod
    def read(cls, kept: object) -> Figures | None:
        """Returns the count that `kept` holds; None when `kept` is not a kept count."""
        match kept:
            case {
                "at": str(at),
                "seconds": int() | float() as seconds,
                "money": dict(money),
                "leaks": dict(leaks),
            } if all(type(each) is int for each in (*money.values(), *leaks.values())):
                with contextlib.suppress(ValueError):
                    when = dt.datetime.fromisoformat(at)
                    if when.tzinfo is not None:
                        return cls(at=when, seconds=seconds, money=money, leaks=leaks)
        return None


@dataclass(frozen=True, slots=True)
class Row:
    code: str
    title: Text
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Money:
    """The money table: what came in and what went out add up to what must be left."""

    at: dt.datetime
    came_in: list[Row]
    went_out: list[Row]
    left: list[Row]

    @property
    def due_minor(self) -> int:
        return sum(row.amount_minor for row in self.came_in + self.went_out)

    @property
    def left_minor(self) -> int:
        return sum(row.amount_minor for row in self.left)

    @property
    def difference_minor(self) -> int:
        return self.due_minor - self.left_minor


def figures() -> Figures | None:
    """Returns the last count, and counts anew when it is stale. Returns None when counting takes
    longer than a page may.

    Only one process counts. The others return the last count. Without the cache every call counts.
    """
    key, fresh = _keys()
    try:
        known = Figures.read(cache.get(key))
        if known is not None and not cache.add(fresh, True, timeout=COUNT_S_MAX):
            return known
        counted = _count()
        if counted is None:
            # The ledger is too large for a page. The next try is ten minutes later.
            cache.set(fresh, True, timeout=600)
            return known
        cache.set(key, counted.kept(), timeout=KEPT_S)
        cache.set(fresh, True, timeout=max(FRESH_S, int(counted.seconds / COUNTING_SHARE)))
        return counted
    except RedisError:
        return _count()


def forget() -> None:
    """No count is kept. The next call of `figures` counts anew."""
    cache.delete_many(list(_keys()))


def money(counted: Figures) -> Money:
    """Returns the money table of a count."""
    lines = panels.money_lines()
    came_in, went_out, left = (
        [
            Row(code=line.code, title=line.title, amount_minor=counted.money[line.code])
            for line in lines
            if line.part == part and line.code in counted.money
        ]
        for part in (panels.IN, panels.OUT, panels.LEFT)
    )
    return Money(at=counted.at, came_in=came_in, went_out=went_out, left=left)


def _keys() -> tuple[str, str]:
    # Several databases may share one Redis.
    name = connection.settings_dict["NAME"]
    return f"figures:{name}", f"figures-fresh:{name}"


def _count() -> Figures | None:
    """Returns all figures of one instant."""
    began = time.monotonic()
    try:
        with one_instant():
            at = clock.now()
            money_by_code: dict[str, int] = {}
            lines = panels.money_lines()
            for count in panels.LEDGER_COUNTS.values():
                totals = count()
                money_by_code |= {line.code: line.amount(totals) for line in lines}
            stopped = Capability.objects.exclude(state=Capability.State.ENABLED)
            leaks = {
                code: capabilities.leaks(code)
                for code in stopped.order_by("pk").values_list("code", flat=True)
            }
    except OperationalError:
        log.warning("the money table could not be counted in the time a page has", exc_info=True)
        return None
    return Figures(at=at, seconds=time.monotonic() - began, money=money_by_code, leaks=leaks)
