"""The public notice of the refund, Payment Services Act art. 20(2)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from winddown import clock
from winddown.errors import GuardNotMet, NotPermitted
from winddown.models import Milestone, PublicNotice
from winddown.programme import public_notice

FIELDS: dict[str, Any] = {
    "statement": "払戻し",
    "issuer_name": "operator",
    "instrument": "wallet",
    "window_first_day": dt.date(2019, 10, 1),
    "window_last_day": dt.date(2019, 12, 2),
    "exclusion_statement": "除斥",
    "contact": "office",
    "how_to_claim": "app",
    "how_it_is_paid": "bank",
}
A_DAY, A_YEAR = dt.timedelta(days=1), dt.timedelta(days=365)

pytestmark = pytest.mark.usefixtures("programme")


@pytest.fixture
def publish(staff: Any, rehearsal_clock: Any) -> Callable[..., PublicNotice]:
    """A compliance officer publishes a notice on 30 September 2019."""
    clock.travel(dt.datetime.fromisoformat("2019-09-30T12:00:00+09:00"), frozen=True)
    actor = staff("compliance")

    def publish(**changed: Any) -> PublicNotice:
        return public_notice.publish_notice(
            actor=actor, reason="the service ends", **(FIELDS | changed)
        )

    return publish


def test_the_window_ends_with_its_last_day_and_moves_with_a_new_notice_only(
    publish: Callable[..., PublicNotice],
) -> None:
    """Rule 39: 24:00 in the programme's zone."""
    publish()
    ends = Milestone.objects.get(kind="refund_window_ends")
    assert ends.at == dt.datetime.fromisoformat("2019-12-03T00:00:00+09:00")
    publish(window_last_day=dt.date(2020, 1, 10))
    ends.refresh_from_db()
    assert ends.at == dt.datetime.fromisoformat("2020-01-11T00:00:00+09:00")
    with pytest.raises(GuardNotMet, match="2020-01-10"):
        publish()
    ends.refresh_from_db()
    assert ends.at == dt.datetime.fromisoformat("2020-01-11T00:00:00+09:00")


def test_the_law_of_the_programme_says_how_long_the_window_lasts(
    publish: Callable[..., PublicNotice], programme: Any
) -> None:
    type(programme).objects.update(jurisdiction="eu")
    with pytest.raises(GuardNotMet, match="2020-09-30"):
        publish()


@pytest.mark.parametrize("field", FIELDS)
def test_a_notice_with_an_empty_field_is_refused_by_name(
    publish: Callable[..., PublicNotice], field: str
) -> None:
    """Rule 38."""
    with pytest.raises(GuardNotMet, match=field):
        publish(**{field: ""})

    assert not PublicNotice.objects.exists()


def test_a_window_of_less_than_sixty_days_is_refused_with_the_earliest_day(
    publish: Callable[..., PublicNotice],
) -> None:
    """Rule 38: neither the first day nor days before the notice are counted. The sixtieth day after
    1 October is a Saturday, so the window lasts until the Monday.
    """
    with pytest.raises(GuardNotMet, match="until 2019-12-02 or longer"):
        publish(window_last_day=dt.date(2019, 11, 29))
    with pytest.raises(GuardNotMet, match="until 2019-11-29 or longer"):
        publish(window_first_day=dt.date(2019, 9, 1), window_last_day=dt.date(2019, 11, 28))
    assert publish().window_last_day == dt.date(2019, 12, 2)


@pytest.mark.parametrize(
    ("closed", "next_open"),
    [
        (dt.date(2019, 12, 7), "2019-12-09"),  # a Saturday
        (dt.date(2019, 12, 31), "2020-01-06"),  # bank holidays and a weekend
        (dt.date(2020, 1, 13), "2020-01-14"),  # Coming of Age Day
    ],
    ids=str,
)
def test_a_window_ends_on_a_day_on_which_banks_are_open(
    publish: Callable[..., PublicNotice], closed: dt.date, next_open: str
) -> None:
    """Civil Code art. 142."""
    with pytest.raises(GuardNotMet, match=f"banks are closed on {closed}.* end on {next_open}"):
        publish(window_last_day=closed)


def test_a_window_that_no_calendar_covers_is_refused(
    publish: Callable[..., PublicNotice],
) -> None:
    with pytest.raises(GuardNotMet, match="no bank calendar of japan for the year 9000"):
        publish(window_last_day=dt.date(9000, 1, 6))


@pytest.mark.parametrize(
    ("law", "closed"),
    [
        ("eu", dt.date(2021, 4, 5)),  # Easter Monday
        ("uk", dt.date(2021, 8, 30)),  # the Summer Bank Holiday
    ],
)
def test_each_law_has_its_bank_holidays(
    publish: Callable[..., PublicNotice], programme: Any, law: str, closed: dt.date
) -> None:
    type(programme).objects.update(jurisdiction=law)
    with pytest.raises(GuardNotMet, match="banks are closed"):
        publish(window_last_day=closed)
    assert publish(window_last_day=closed + dt.timedelta(days=1))


# --- the database: whoever writes, the deadline is the notice's last day --------------------------


def test_the_deadline_of_the_window_is_what_the_notice_says(
    publish: Callable[..., PublicNotice],
) -> None:
    """Rule 39, through the ORM."""
    with pytest.raises(DatabaseError, match="last day of the public notice"), transaction.atomic():
        Milestone.objects.create(kind="refund_window_ends", at=clock.now() + A_YEAR)
    publish()
    said = Milestone.objects.get(kind="refund_window_ends").at
    for moved in (said - A_DAY, said + A_DAY, clock.now()):
        with pytest.raises(DatabaseError), transaction.atomic():
            Milestone.objects.filter(kind="refund_window_ends").update(at=moved)


def test_a_published_day_ends_in_the_zone_in_which_it_was_published(
    publish: Callable[..., PublicNotice], programme: Any
) -> None:
    """Otherwise the deadline would come before the last day ends."""
    type(programme).objects.update(time_zone="Asia/Seoul")
    publish()
    with pytest.raises(DatabaseError, match="in which it was published"), transaction.atomic():
        type(programme).objects.update(time_zone="Pacific/Honolulu")
    type(programme).objects.update(time_zone="Asia/Seoul")


def test_a_notice_without_its_deadline_does_not_stand(
    publish: Callable[..., PublicNotice],
) -> None:
    """A notice alone would leave the deadline before its last day."""
    notice = publish()
    later = FIELDS | {"window_last_day": dt.date(2020, 1, 10), "published_at": clock.now()}
    with (
        pytest.raises(DatabaseError, match="cannot end before the last day of its notice"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        PublicNotice.objects.create(**later)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert list(PublicNotice.objects.all()) == [notice]


def test_a_published_window_is_extended_and_never_shortened(
    publish: Callable[..., PublicNotice],
) -> None:
    """Rule 39."""
    publish(window_last_day=dt.date(2020, 1, 10))

    with pytest.raises(GuardNotMet, match="2020-01-10"):
        publish(window_last_day=dt.date(2020, 1, 9))

    publish(window_last_day=dt.date(2020, 1, 31))
    assert PublicNotice.objects.count() == 2


def test_a_first_day_that_has_passed_is_refused_unless_the_window_began_then(
    publish: Callable[..., PublicNotice],
) -> None:
    """A wrong year cannot be taken back once it is published. An extension repeats the first day."""
    for passed in (dt.date(2009, 10, 1), dt.date(2019, 9, 29)):
        with pytest.raises(GuardNotMet, match=f"the first day {passed} has passed"):
            publish(window_first_day=passed)
    assert not PublicNotice.objects.exists()
    publish()
    clock.travel(dt.datetime.fromisoformat("2019-11-05T12:00:00+09:00"), frozen=True)
    publish(window_last_day=dt.date(2020, 1, 10))
    with pytest.raises(GuardNotMet, match="has passed"):
        publish(window_first_day=dt.date(2019, 10, 2), window_last_day=dt.date(2020, 1, 14))


def test_publishing_requires_its_permission(staff: Any, rehearsal_clock: Any) -> None:
    with pytest.raises(NotPermitted):
        public_notice.publish_notice(actor=staff("support"), reason="no", **FIELDS)
