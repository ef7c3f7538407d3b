"""The value date of a transfer is a business day in the near future."""

from __future__ import annotations

from datetime import date, time, timedelta

import jpholiday
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refunds.bankfiles.calendar import (
    ValueDateRefused,
    check_value_date,
    earliest_value_date,
    is_bank_business_day,
    next_bank_business_day,
    roll_back,
    roll_forward,
)
from refunds.bankfiles.errors import BankFileError

DAYS = st.dates(min_value=date(2015, 1, 1), max_value=date(2035, 12, 31))


def test_business_days_of_nine_years_equal_an_independent_calendar() -> None:
    """Rule 49."""
    day, differing = date(2019, 1, 1), []
    while day < date(2028, 1, 1):
        new_year = (day.month, day.day) in {(12, 31), (1, 1), (1, 2), (1, 3)}
        expected = day.weekday() < 5 and not jpholiday.is_holiday(day) and not new_year
        if is_bank_business_day(day) != expected:
            differing.append(day)
        day += timedelta(days=1)
    assert differing == []


@pytest.mark.parametrize(
    ("value_date", "proposed"),
    [
        (date(2019, 11, 16), date(2019, 11, 18)),  # Saturday
        (date(2019, 11, 17), date(2019, 11, 18)),  # Sunday
        (date(2019, 10, 22), date(2019, 10, 23)),  # enthronement ceremony, that year only
        (date(2019, 11, 4), date(2019, 11, 5)),  # substitute holiday
        (date(2019, 12, 31), date(2020, 1, 6)),  # bank holidays run into a weekend
        (date(2020, 1, 1), date(2020, 1, 6)),
        (date(2020, 1, 3), date(2020, 1, 6)),
    ],
)
def test_a_value_date_on_a_bank_holiday_is_refused_with_the_next_business_day(
    value_date: date, proposed: date
) -> None:
    """Rule 49."""
    with pytest.raises(ValueDateRefused) as refusal:
        check_value_date(value_date, value_date - timedelta(days=10))
    assert refusal.value.proposed == proposed
    assert refusal.value.value_date == value_date


def test_a_past_value_date_is_refused_and_today_is_not() -> None:
    """Rule 49."""
    today = date(2019, 11, 18)
    check_value_date(today, today)
    with pytest.raises(ValueDateRefused) as refusal:
        check_value_date(date(2019, 11, 15), today)
    assert refusal.value.proposed == today


def test_a_value_date_is_accepted_up_to_thirty_one_days_ahead() -> None:
    """Rule 49: the file contains no year, and banks accept about a month."""
    today = date(2019, 11, 18)
    check_value_date(date(2019, 12, 19), today)
    with pytest.raises(ValueDateRefused) as refusal:
        check_value_date(date(2019, 12, 20), today)
    assert refusal.value.proposed == date(2019, 12, 19)


def test_a_shorter_limit_of_a_bank_applies() -> None:
    """Rule 49."""
    with pytest.raises(ValueDateRefused):
        check_value_date(date(2019, 11, 29), date(2019, 11, 18), days_ahead_max=10)


def test_a_holiday_on_the_last_day_proposes_the_last_business_day_before_it() -> None:
    """Rule 49: day 31 is a Sunday, and the Monday after it would be refused again."""
    with pytest.raises(ValueDateRefused) as refusal:
        check_value_date(date(2019, 11, 17), date(2019, 10, 17))
    assert refusal.value.proposed == date(2019, 11, 15)


@given(today=DAYS, days=st.integers(-10, 40))
def test_the_proposed_day_is_always_accepted(today: date, days: int) -> None:
    """Rule 49."""
    value_date = today + timedelta(days=days)
    try:
        check_value_date(value_date, today)
    except ValueDateRefused as refusal:
        check_value_date(refusal.proposed, today)


@given(DAYS)
def test_the_next_business_day_is_the_first_one_after_the_given_day(day: date) -> None:
    """Rule 49."""
    following = next_bank_business_day(day)
    assert following > day
    assert is_bank_business_day(following)
    between = [day + timedelta(days=n) for n in range(1, (following - day).days)]
    assert not any(is_bank_business_day(other) for other in between)
    assert roll_back(following) == following == roll_forward(following)
    assert roll_forward(day) == (day if is_bank_business_day(day) else following)


def test_the_last_day_of_a_sixty_day_window_moves_past_the_weekend() -> None:
    """L6: 1 October 2019 + 60 days is a Saturday."""
    assert roll_forward(date(2019, 10, 1) + timedelta(days=60)) == date(2019, 12, 2)


@pytest.mark.parametrize("year", [1900, 2100])
def test_a_year_without_holiday_data_is_refused(year: int) -> None:
    """Rule 49."""
    with pytest.raises(BankFileError):
        is_bank_business_day(
            date(year, 5, 5) + timedelta(days=(7 - date(year, 5, 5).weekday()) % 7)
        )


# --- the days and hours of the bank that pays -----------------------------------------------------

CUT_OFF = time(15)
# Thursday 14 November 2019; the bank alone is closed on the Monday after the weekend.
THURSDAY, FRIDAY, MONDAY, TUESDAY, WEDNESDAY = (date(2019, 11, day) for day in (14, 15, 18, 19, 20))


@pytest.mark.parametrize(
    ("today", "at", "expected"),
    [
        (THURSDAY, time(14, 59), FRIDAY),
        (THURSDAY, CUT_OFF, TUESDAY),
        (FRIDAY, time(9), TUESDAY),
        (FRIDAY, time(15, 1), WEDNESDAY),
        (date(2019, 11, 16), time(9), WEDNESDAY),
        (MONDAY, time(9), WEDNESDAY),
    ],
    ids=str,
)
def test_a_file_comes_in_time_for_the_next_day_until_the_cut_off_of_the_bank(
    today: date, at: time, expected: date
) -> None:
    earliest = earliest_value_date(today, at, cut_off=CUT_OFF, closed={MONDAY})
    assert earliest == expected
    check_value_date(expected, today, earliest=earliest, closed={MONDAY})
    if (sooner := expected - timedelta(days=1)) > today:
        with pytest.raises(ValueDateRefused) as refused:
            check_value_date(sooner, today, earliest=earliest, closed={MONDAY})
        assert refused.value.proposed == expected


def test_a_day_on_which_the_bank_alone_is_closed_is_no_value_date() -> None:
    check_value_date(MONDAY, THURSDAY)
    with pytest.raises(ValueDateRefused, match="not a bank business day; 2019-11-19"):
        check_value_date(MONDAY, THURSDAY, closed={MONDAY})
