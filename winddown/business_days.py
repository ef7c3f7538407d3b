"""Days on which banks are open, by the calendar of a jurisdiction: TARGET, England, Japan."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

import holidays

_ONE_DAY: Final = timedelta(days=1)
# In Japan 31 December to 3 January are bank holidays (Banking Act, Order for Enforcement art. 5).
CALENDARS: Final[dict[str, Callable[..., holidays.HolidayBase]]] = {
    "japan": lambda **years: holidays.country_holidays(
        "JP", categories=("public", "bank"), **years
    ),
    "target": lambda **years: holidays.financial_holidays("ECB", **years),
    "england": lambda **years: holidays.country_holidays("GB", subdiv="ENG", **years),
}


class NoCalendar(Exception):
    """The data of the calendar does not cover the year, so that every weekday would seem open."""

    def __init__(self, calendar: str, year: int) -> None:
        super().__init__(f"no bank calendar of {calendar} for the year {year}")


@lru_cache(maxsize=256)
def _closed_days(calendar: str, year: int) -> frozenset[date]:
    covered = CALENDARS[calendar]()
    if not covered.start_year <= year <= covered.end_year:
        raise NoCalendar(calendar, year)
    return frozenset(CALENDARS[calendar](years=year))


def is_open(day: date, *, calendar: str) -> bool:
    """Returns whether banks are open on this day. Raises `NoCalendar`."""
    return day.weekday() < 5 and day not in _closed_days(calendar, day.year)


def roll_forward(day: date, *, calendar: str) -> date:
    """Returns the day itself if banks are open, or the next day on which they are. Raises
    `NoCalendar`.
    """
    while not is_open(day, calendar=calendar):
        day += _ONE_DAY
    return day


def after(day: date, number: int, *, calendar: str) -> date:
    """Returns the day on which banks are open for the `number`th time after this day. Raises
    `NoCalendar`.
    """
    for _bank_day in range(number):
        day = roll_forward(day + _ONE_DAY, calendar=calendar)
    return day


def last_before(day: date, *, calendar: str) -> date:
    """Returns the last day before this one on which banks were open. Raises `NoCalendar`."""
    day -= _ONE_DAY
    while not is_open(day, calendar=calendar):
        day -= _ONE_DAY
    return day
