"""Dates as banks print them in Japanese eras: YYMMDD, without the letter of the era."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Final, NamedTuple

from refunds.bankfiles.errors import BankFileError


class Era(NamedTuple):
    """An era: year 1 is `before + 1`. Both days belong to it."""

    name: str
    before: int
    first: date
    last: date


ERAS: Final = (
    Era("Showa", 1925, date(1926, 12, 25), date(1989, 1, 7)),
    Era("Heisei", 1988, date(1989, 1, 8), date(2019, 4, 30)),
    Era("Reiwa", 2018, date(2019, 5, 1), date.max),
)
# A statement is read at most this long after the day it names. The shortest whole era lasted
# thirty years, so no two eras give a date within it.
YEARS_BACK_MAX: Final = 10
DAYS_AHEAD_MAX: Final = 31


def era_date(
    text: str, *, near: date, record: int | None = None, position: int | None = None
) -> date:
    """Returns the one day that the six digits name in an era, from ten years before `near` to 31
    days after it. Raises `BankFileError` if there is no such day or more than one: a year of the
    Western calendar is never guessed.
    """
    found = []
    if re.fullmatch(r"[0-9]{6}", text):
        year, month, day = int(text[:2]), int(text[2:4]), int(text[4:])
        for era in ERAS:
            try:
                candidate = date(era.before + year, month, day)
            except ValueError:
                continue
            if year and era.first <= candidate <= era.last and _is_plausible(candidate, near=near):
                found.append(candidate)
    if len(found) != 1:
        raise BankFileError(
            "a day as YYMMDD of a Japanese era that is one plausible day expected",
            record=record,
            position=position,
        )
    return found[0]


def _is_plausible(candidate: date, *, near: date) -> bool:
    ahead = candidate - near
    return timedelta(days=-366 * YEARS_BACK_MAX) <= ahead <= timedelta(days=DAYS_AHEAD_MAX)


def era_text(day: date) -> str:
    """Returns the day as YYMMDD of its era."""
    era = next(era for era in ERAS if era.first <= day <= era.last)
    return f"{day.year - era.before:02d}{day:%m%d}"
