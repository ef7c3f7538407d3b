"""The forecast of the finish, replayed on the days of a recorded history, and counted in the rows."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from refunds.payouts.forecast import DAYS_BACK, Forecast, Route, forecast, project
from tests.config.test_every_door import browser_of

OPENED = dt.date(2019, 10, 1)
WINDOW_DAYS = 102
HOLDERS = {"app": 4_000, "web": 1_500}
# So many people of a route can be paid on one of its days.
PAID_MAX = {"app": 45, "web": 16}


@dataclass
class History:
    """What happened on each day of each route until everybody was paid."""

    applied: dict[str, list[int]]
    paid: dict[str, list[int]]

    @property
    def finish(self) -> dt.date:
        return OPENED + dt.timedelta(days=len(self.paid["app"]))

    def forecast(self, day: int) -> Forecast:
        """Returns the forecast as it was on the morning of the day."""
        applied, paid = (
            {name: days[:day] for name, days in each.items()} for each in (self.applied, self.paid)
        )
        routes = {
            name: Route(
                waiting=sum(applied[name]) - sum(paid[name]),
                applied=applied[name][-DAYS_BACK:],
                paid=paid[name][-DAYS_BACK:],
            )
            for name in HOLDERS
        }
        return project(
            routes,
            today=OPENED + dt.timedelta(days=day),
            window_ends=OPENED + dt.timedelta(days=WINDOW_DAYS - 1),
            not_applied=sum(HOLDERS.values()) - sum(map(sum, applied.values())),
        )


def lived(seed: int) -> History:
    """Returns a history: people apply at their pace until the window ends, and a few each day are
    paid, more or fewer as it happens.
    """
    chance = random.Random(seed)
    applied: dict[str, list[int]] = {name: [] for name in HOLDERS}
    paid: dict[str, list[int]] = {name: [] for name in HOLDERS}
    waiting = dict.fromkeys(HOLDERS, 0)
    day = 0
    while day < WINDOW_DAYS or any(waiting.values()):
        for name, holders in HOLDERS.items():
            pace = holders / WINDOW_DAYS
            came = round(pace * chance.uniform(0.4, 1.6)) if day < WINDOW_DAYS else 0
            came = min(came, holders - sum(applied[name]))
            done = min(waiting[name], round(PAID_MAX[name] * chance.uniform(0.2, 1.2)))
            waiting[name] += came - done
            applied[name].append(came)
            paid[name].append(done)
        day += 1
    return History(applied, paid)


def replayed(history: History, days: Sequence[int]) -> list[str]:
    """Returns a line for each day whose range misses the true finish."""
    missed = []
    for day in days:
        found = history.forecast(day).whole
        inside = (
            found.first
            and found.first <= history.finish
            and (found.last is None or history.finish <= found.last)
        )
        if not inside:
            missed.append(
                f"day {day}: {found.first} to {found.last}, it was finished on {history.finish}"
            )
    return missed


@pytest.mark.parametrize("seed", [0, 2, 3])
def test_the_true_finish_lies_in_the_range_of_days_10_30_and_60(seed: int) -> None:
    assert replayed(lived(seed=seed), (10, 30, 60)) == []


def test_a_miss_is_told_with_the_range_and_the_true_day() -> None:
    """One future in twenty lies outside. In this history the first days were slower than most."""
    history = lived(seed=1)
    (told,) = replayed(history, (10, 30, 60))
    print(told)
    assert told == f"day 10: 2020-02-25 to 2020-08-02, it was finished on {history.finish}"


def test_without_payments_nothing_is_promised() -> None:
    routes = {"app": Route(waiting=5, applied=[5], paid=[0])}
    found = project(routes, today=OPENED, window_ends=OPENED, not_applied=0)
    assert (found.whole.first, found.whole.last) == (None, None)
    again = project(routes, today=OPENED, window_ends=OPENED, not_applied=0)
    assert again == found


@pytest.mark.django_db
def test_the_forecast_counts_the_rows_of_the_last_days(house: Any, rehearsal_clock: Any) -> None:
    first, second, third, _fourth = house.entitled(4)
    house.apply(first)
    house.apply(second, channel="web")
    house.check_payees()
    rehearsal_clock.travel(rehearsal_clock.now() + dt.timedelta(days=2), frozen=True)
    house.apply(third)
    rehearsal_clock.travel(rehearsal_clock.now() + dt.timedelta(days=1), frozen=True)

    seen = forecast()
    assert (seen.days_back, seen.not_applied) == (3, 1)
    assert {name: found.waiting for name, found in seen.routes.items()} == {"app": 2, "web": 1}
    said = StringIO()
    call_command("forecast_finish", by=house.support.login_id, stdout=said)
    assert "app: 2 wait, 0 were paid; the finish cannot be said" in said.getvalue()
    page = browser_of(house.support, headers={"accept-language": "en"}).get("/console/programme/")
    assert "Forecast of the finish" in page.content.decode()
