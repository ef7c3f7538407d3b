"""The public notice of the refund, Payment Services Act art. 20(2)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from winddown import clock
from winddown.errors import GuardNotMet, NotPermitted
from winddown.models import Milestone, PublicNotice
from winddown.programme import public_notice

FIELDS: dict[str, Any] = {
    "statement": "払戻し",
    "issuer_name": "operator",
    "instrument": "wallet",
    "window_first_day": dt.date(2019, 10, 1),
    "window_last_day": dt.date(2019, 11, 30),
    "exclusion_statement": "除斥",
    "contact": "office",
    "how_to_claim": "app",
    "how_it_is_paid": "bank",
}


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
    assert ends.at == dt.datetime.fromisoformat("2019-12-01T00:00:00+09:00")
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
    """Rule 38: neither the first day nor days before the notice are counted."""
    with pytest.raises(GuardNotMet, match="2019-11-30"):
        publish(window_last_day=dt.date(2019, 11, 29))
    with pytest.raises(GuardNotMet, match="2019-11-29"):
        publish(window_first_day=dt.date(2019, 9, 1), window_last_day=dt.date(2019, 11, 28))

    assert publish().window_last_day == dt.date(2019, 11, 30)


def test_a_published_window_is_extended_and_never_shortened(
    publish: Callable[..., PublicNotice],
) -> None:
    """Rule 39."""
    publish(window_last_day=dt.date(2020, 1, 10))

    with pytest.raises(GuardNotMet, match="2020-01-10"):
        publish(window_last_day=dt.date(2020, 1, 9))

    publish(window_last_day=dt.date(2020, 1, 31))
    assert PublicNotice.objects.count() == 2


def test_publishing_requires_its_permission(staff: Any, rehearsal_clock: Any) -> None:
    with pytest.raises(NotPermitted):
        public_notice.publish_notice(actor=staff("support"), reason="no", **FIELDS)
