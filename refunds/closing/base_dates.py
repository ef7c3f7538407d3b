"""Base dates: the unused balance of a day and the security deposit that the law asks for it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from refunds.payouts import funding
from winddown import clock
from winddown.models import Programme
from winddown.programme.filing_kinds import FIGURES

# The last days of the half-years (Payment Services Act art. 3(2)).
_BASE_DAYS = ((3, 31), (9, 30))


@dataclass(frozen=True, slots=True)
class BaseDate:
    """The unused balance at the end of the day, in minor units, and the deposit for it."""

    day: dt.date
    unused_minor: int
    deposit_minor: int


def of(day: dt.date) -> BaseDate:
    """Returns what the ledger says of the end of the day. Above the limit of the law the deposit is
    its share of the balance, rounded up (rule 44).
    """
    zone = Programme.current().zone
    ends = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), tzinfo=zone)
    balance = unused(ends - dt.timedelta(microseconds=1))
    return BaseDate(day, balance, funding.deposit_for(balance))


def unused(as_of: dt.datetime) -> int:
    """Returns the paid value that holders have or are still owed. What was excluded, taken over or
    deposited counts as redeemed.
    """
    return FIGURES["unused_balance"].value(as_of)


def passed() -> list[dt.date]:
    """Returns the base dates from the launch on that are over, the newest first."""
    programme = Programme.current()
    zone = programme.zone
    today = clock.now().astimezone(zone).date()
    launched = programme.launched_at.astimezone(zone).date()
    days = [
        dt.date(year, month, day)
        for year in range(launched.year, today.year + 1)
        for month, day in _BASE_DAYS
    ]
    return sorted((day for day in days if launched <= day < today), reverse=True)
