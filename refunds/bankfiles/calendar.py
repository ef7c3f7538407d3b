"""Bank business days in Japan: no weekend, no national holiday, not 31 December to 3 January, and
none of the days on which the bank that pays is closed alone.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, time, timedelta

from refunds.bankfiles.errors import BankFileError
from winddown import business_days

# A transfer file has month and day only, so banks take it about a month ahead at most. A bank's own
# limit is an argument.
DAYS_AHEAD_MAX = 31
_ONE_DAY = timedelta(days=1)


class ValueDateRefused(BankFileError):
    """The bank would not take this value date. `proposed` is a day that it would take."""

    def __init__(self, reason: str, *, value_date: date, proposed: date) -> None:
        self.value_date = value_date
        self.proposed = proposed
        super().__init__(f"{value_date:%Y-%m-%d} {reason}; {proposed:%Y-%m-%d} is possible")


def is_bank_business_day(day: date, *, closed: Collection[date] = ()) -> bool:
    """Returns whether the bank settles transfers on this day. `closed` are the days on which it
    alone is closed. Raises `BankFileError` for a year that no calendar covers.
    """
    if day in closed:
        return False
    try:
        return business_days.is_open(day, calendar="japan")
    except business_days.NoCalendar as unknown:
        raise BankFileError(str(unknown)) from unknown


def roll_forward(day: date, *, closed: Collection[date] = ()) -> date:
    """Returns the day itself if banks are open, or the next business day (Civil Code art. 142)."""
    while not is_bank_business_day(day, closed=closed):
        day += _ONE_DAY
    return day


def next_bank_business_day(day: date, *, closed: Collection[date] = ()) -> date:
    """Returns the first bank business day after this day, never the day itself."""
    return roll_forward(day + _ONE_DAY, closed=closed)


def earliest_value_date(
    today: date, at: time, *, cut_off: time, closed: Collection[date] = ()
) -> date:
    """Returns the first day for which the bank takes a file now. It takes the files of a business
    day until `cut_off` of the business day before.
    """
    first = next_bank_business_day(today, closed=closed)
    if is_bank_business_day(today, closed=closed) and at < cut_off:
        return first
    return next_bank_business_day(first, closed=closed)


def roll_back(day: date, *, closed: Collection[date] = ()) -> date:
    """Returns the day itself when banks are open, or the last bank business day before it."""
    while not is_bank_business_day(day, closed=closed):
        day -= _ONE_DAY
    return day


def check_value_date(
    value_date: date,
    today: date,
    *,
    days_ahead_max: int = DAYS_AHEAD_MAX,
    earliest: date | None = None,
    closed: Collection[date] = (),
) -> None:
    """The value date is a bank business day from `earliest` (usually `today`) to `days_ahead_max`
    days after `today`, inclusive.

    Raises `ValueDateRefused` with a day that passes the same check: the next bank business day, or
    the last one within the limit if the next one is too far.
    """
    last = today + timedelta(days=days_ahead_max)
    if value_date < today:
        reason, proposed = "is past", roll_forward(earliest or today, closed=closed)
    elif earliest is not None and value_date < earliest:
        reason, proposed = "is too soon: the bank's cut-off has passed", earliest
    elif value_date > last:
        reason, proposed = (
            f"is more than {days_ahead_max} days ahead",
            roll_back(last, closed=closed),
        )
    elif not is_bank_business_day(value_date, closed=closed):
        reason, proposed = "is not a bank business day", roll_forward(value_date, closed=closed)
    else:
        return
    if proposed > last:
        proposed = roll_back(last, closed=closed)
    raise ValueDateRefused(reason, value_date=value_date, proposed=proposed)
