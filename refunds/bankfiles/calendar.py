"""Bank business days in Japan: no weekend, no national holiday, not 31 December to 3 January."""

from __future__ import annotations

from datetime import date, timedelta

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


def is_bank_business_day(day: date) -> bool:
    """Returns whether banks settle transfers on this day. Raises `BankFileError` for a year that no
    calendar covers.
    """
    try:
        return business_days.is_open(day, calendar="japan")
    except business_days.NoCalendar as unknown:
        raise BankFileError(str(unknown)) from unknown


def roll_forward(day: date) -> date:
    """Returns the day itself if banks are open, or the next business day (Civil Code art. 142)."""
    while not is_bank_business_day(day):
        day += _ONE_DAY
    return day


def next_bank_business_day(day: date) -> date:
    """Returns the first bank business day after this day, never the day itself."""
    return roll_forward(day + _ONE_DAY)


def roll_back(day: date) -> date:
    """Returns the day itself when banks are open, or the last bank business day before it."""
    while not is_bank_business_day(day):
        day -= _ONE_DAY
    return day


def check_value_date(
    value_date: date, today: date, *, days_ahead_max: int = DAYS_AHEAD_MAX
) -> None:
    """The value date is a bank business day from `today` to `days_ahead_max` days on, inclusive.

    Raises `ValueDateRefused` with a day that passes the same check: the next bank business day, or
    the last one within the limit if the next one is too far.
    """
    last = today + timedelta(days=days_ahead_max)
    if value_date < today:
        reason, proposed = "is past", roll_forward(today)
    elif value_date > last:
        reason, proposed = f"is more than {days_ahead_max} days ahead", roll_back(last)
    elif not is_bank_business_day(value_date):
        reason, proposed = "is not a bank business day", roll_forward(value_date)
    else:
        return
    if proposed > last:
        proposed = roll_back(last)
    raise ValueDateRefused(reason, value_date=value_date, proposed=proposed)
