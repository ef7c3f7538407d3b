"""Amounts and times as people read them."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone, translation
from django.utils.html import strip_tags

from winddown.templatetags import spoken

TOKYO = ZoneInfo("Asia/Tokyo")
MIDNIGHT = dt.datetime(2019, 10, 1, tzinfo=TOKYO)


@pytest.fixture(autouse=True)
def in_tokyo() -> object:
    with timezone.override(TOKYO), translation.override("en"):
        yield


def test_an_end_at_midnight_is_shown_on_the_day_before() -> None:
    """Rule 31."""
    assert strip_tags(spoken.deadline(MIDNIGHT)) == "Mon 30 September 2019 24:00"
    assert strip_tags(spoken.exact(MIDNIGHT)) == "2019-09-30 24:00 JST = 10-01 00:00 JST"
    assert spoken.last_day(MIDNIGHT) == "Mon 30 September 2019"


def test_a_beginning_at_midnight_is_shown_on_the_new_day() -> None:
    assert strip_tags(spoken.begins(MIDNIGHT)) == "2019-10-01 00:00 JST"
    assert strip_tags(spoken.moment(MIDNIGHT)) == "Tue 1 October 2019 00:00"


def test_a_time_within_a_day_has_one_form() -> None:
    at = dt.datetime(2019, 7, 4, 5, 0, tzinfo=dt.UTC)

    assert strip_tags(spoken.exact(at)) == "2019-07-04 14:00 JST"


def test_a_microsecond_before_midnight_is_not_shown_as_midnight() -> None:
    before = MIDNIGHT - dt.timedelta(microseconds=1)

    assert strip_tags(spoken.exact(before)) == "2019-09-30 23:59 JST"


def test_a_japanese_date_has_its_weekday() -> None:
    with translation.override("ja"):
        assert strip_tags(spoken.deadline(MIDNIGHT)) == "2019年9月30日(月) 24:00"
        assert spoken.amount(12_345, "JPY") == "12,345円"
        assert spoken.span(61 * 86_400 + 4 * 3_600) == "61日 4時間"


def test_the_time_element_holds_the_instant_for_machines() -> None:
    assert 'datetime="2019-10-01T00:00:00+09:00"' in spoken.moment(MIDNIGHT)


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (0, "JPY", "0"),
        (38_615_473, "JPY", "38,615,473"),
        (-1, "JPY", "−1"),
        (-1_205, "USD", "−12.05"),
        (None, "JPY", "–"),
    ],
)
def test_digits_are_shown_without_the_unit(minor: int | None, currency: str, text: str) -> None:
    assert spoken.digits(minor, currency) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3_599, "59 min"),
        (3_600, "1 h 0 min"),
        (86_400, "1 day 0 h"),
        (200 * 86_400, "200 days"),
    ],
)
def test_a_duration_is_shown_in_its_two_largest_units(seconds: float, text: str) -> None:
    assert spoken.span(seconds) == text


def test_an_unknown_state_is_escaped() -> None:
    assert "<script>" not in spoken.state("run", "<script>")
