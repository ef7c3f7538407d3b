"""Days and instants as partners write them: 2019-08-01, 2019/8/1, 20190801, R1.8.1, 令和元年8月1日.

Full-width digits and signs are read as the usual ones.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from typing import Final

# Other years are a slip of the pen: sums of days and zones stay inside the calendar.
_YEARS: Final = range(2000, 2100)
# The first and the last day of each era; the last one lasts.
_ERAS: Final = {
    "H": (dt.date(1989, 1, 8), dt.date(2019, 4, 30)),
    "R": (dt.date(2019, 5, 1), dt.date.max),
}
_NAMES: Final = {"平成": "H", "令和": "R"}
_DAY: Final = (
    r"(?P<compact>\d{8})"
    r"|(?:(?P<era>[HR]|平成|令和)(?P<era_year>\d{1,2}|元)|(?P<year>\d{4}))"
    r"[-/.年](?P<month>\d{1,2})[-/.月](?P<day>\d{1,2})日?"
)
_TIME: Final = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.(?P<fraction>\d{1,6})\d*)?)?"
    r"\s*(?P<offset>Z|[+-]\d{2}:?\d{2})?"
)
_DATE: Final = re.compile(_DAY)
_INSTANT: Final = re.compile(rf"(?:{_DAY})(?:(?:T|\s+){_TIME})?")


def plain(text: str) -> str:
    """Returns the text without spaces at its ends and with usual digits, letters and signs in place
    of the full-width ones.
    """
    return unicodedata.normalize("NFKC", text).strip()


def day_of(text: str) -> dt.date:
    """Returns the day that is written. Raises `ValueError`."""
    found = _DATE.fullmatch(plain(text).upper())
    if found is None:
        raise ValueError("it is no date")
    return _day(found)


def instant_of(text: str, *, zone: dt.tzinfo) -> dt.datetime:
    """Returns the instant that is written. Without an offset it is of `zone`, and a day alone is its
    first moment. Raises `ValueError`.
    """
    found = _INSTANT.fullmatch(plain(text).upper())
    if found is None:
        raise ValueError("it is no time")
    day, offset = _day(found), found["offset"]
    of = zone
    if offset is not None:
        minutes = 0 if offset == "Z" else int(offset[1:3]) * 60 + int(offset[-2:])
        of = dt.timezone(dt.timedelta(minutes=-minutes if offset[0] == "-" else minutes))
    return dt.datetime(
        day.year,
        day.month,
        day.day,
        int(found["hour"] or 0),
        int(found["minute"] or 0),
        int(found["second"] or 0),
        int((found["fraction"] or "0").ljust(6, "0")),
        tzinfo=of,
    )


def _day(found: re.Match[str]) -> dt.date:
    if (compact := found["compact"]) is not None:
        day = dt.date(int(compact[:4]), int(compact[4:6]), int(compact[6:]))
    elif (era := found["era"]) is not None:
        first, last = _ERAS[_NAMES.get(era, era)]
        number = 1 if found["era_year"] == "元" else int(found["era_year"])
        day = dt.date(first.year + number - 1, int(found["month"]), int(found["day"]))
        if not number or not first <= day <= last:
            raise ValueError("it is no day of this era")
    else:
        day = dt.date(int(found["year"]), int(found["month"]), int(found["day"]))
    if day.year not in _YEARS:
        raise ValueError("it is no year of this matter")
    return day
