"""When the refunds will be finished: a range by route, from the days just past.

Many futures are drawn from the last fourteen days of the route. Each future first draws, with
replacement, the days that it learns from, because fourteen days are a sample themselves. Then it
draws each of its days from these: so many people apply, and so many can be paid. A day after which
nobody waited shows how many asked and not how many can be paid, so it is left out. People go on
applying until the window ends, as long as anybody is left who may. A route ends on the day on which
nobody of it waits any more. The range leaves out one future in forty at each end. The draws are the
same for the same numbers, so everybody reads the same range.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import Count

from refunds.models import Entitlement, Payout, PayoutWave, RefundApplication
from winddown import clock
from winddown.models import Milestone, Programme

DAYS_BACK = 14
FUTURES = 200
DAYS_MAX = 730
LOW, HIGH = 0.025, 0.975


@dataclass(frozen=True, slots=True)
class Route:
    """One route: how many wait to be paid, and on each of the last days, the oldest first, how many
    applied and how many were paid.
    """

    waiting: int
    applied: Sequence[int]
    paid: Sequence[int]

    def payable(self) -> list[int]:
        """Returns how many were paid on the days after which somebody still waited."""
        waiting, found = self.waiting, []
        for applied, paid in zip(reversed(self.applied), reversed(self.paid), strict=True):
            if waiting:
                found.append(paid)
            waiting -= applied - paid
        return found or list(self.paid)


@dataclass(frozen=True, slots=True)
class Range:
    """From the first to the last likely day. No `last` means that it lasts longer than can be said,
    and no `first` that nobody was paid in the days just past.
    """

    waiting: int
    paid: int
    first: dt.date | None
    last: dt.date | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """The range of each route, and of all of them together."""

    today: dt.date
    days_back: int
    not_applied: int
    routes: dict[str, Range]
    whole: Range


def project(
    routes: Mapping[str, Route],
    *,
    today: dt.date,
    window_ends: dt.date | None,
    not_applied: int,
    pays_on: Sequence[dt.date] = (),
) -> Forecast:
    """Returns the forecast from the numbers alone. `window_ends` is the last day on which people may
    apply, and `not_applied` how many have not. `pays_on` are the days of the planned waves: up to
    the last of them, money goes out on these days only.
    """
    draws = random.Random(0)  # noqa: S311  nothing secret depends on it
    open_days = max((window_ends - today).days, 0) if window_ends else 0
    futures = [_future(routes, open_days, not_applied, draws) for _ in range(FUTURES)]
    ranges = {
        name: _range([future[name] for future in futures], [route], today=today, pays_on=pays_on)
        for name, route in routes.items()
    }
    # Without payments on a route its people wait for good, and so does the whole.
    lasts = [max(future.values(), default=0) for future in futures]
    return Forecast(
        today=today,
        days_back=max((len(route.paid) for route in routes.values()), default=0),
        not_applied=not_applied,
        routes=ranges,
        whole=_range(lasts, list(routes.values()), today=today, pays_on=pays_on),
    )


def _future(
    routes: Mapping[str, Route], open_days: int, not_applied: int, draws: random.Random
) -> dict[str, int]:
    """Returns after how many days nobody of each route waits any more, in one drawn future."""
    waiting = {name: route.waiting for name, route in routes.items()}
    comes = {name: _resampled(route.applied, draws) for name, route in routes.items()}
    goes = {name: _resampled(route.payable(), draws) for name, route in routes.items()}
    ended: dict[str, int] = {}
    for day in range(1, DAYS_MAX + 1):
        for name in routes:
            if name in ended or not any(goes[name]):
                continue
            if day <= open_days:
                came = min(draws.choice(comes[name]), not_applied)
                not_applied -= came
                waiting[name] += came
            waiting[name] = max(waiting[name] - draws.choice(goes[name]), 0)
            if not waiting[name] and (day >= open_days or not not_applied):
                ended[name] = day
        if len(ended) == len(routes):
            break
    return {name: ended.get(name, DAYS_MAX + 1) for name in routes}


def _resampled(days: Sequence[int], draws: random.Random) -> list[int]:
    return draws.choices(days, k=len(days)) if days else []


def _range(
    ends: Sequence[int], routes: Sequence[Route], *, today: dt.date, pays_on: Sequence[dt.date]
) -> Range:
    ordered = sorted(ends)
    low, high = (ordered[int(share * (len(ordered) - 1))] for share in (LOW, HIGH))
    paid = sum(sum(route.paid) for route in routes)
    return Range(
        waiting=sum(route.waiting for route in routes),
        paid=paid,
        first=_day(today, low, pays_on),
        last=_day(today, high, pays_on),
    )


def _day(today: dt.date, days: int, pays_on: Sequence[dt.date]) -> dt.date | None:
    if days > DAYS_MAX:
        return None
    ends = today + dt.timedelta(days=days)
    return min((day for day in pays_on if day >= ends), default=ends)


# --- from the database ---------------------------------------------------------------------------


def forecast() -> Forecast:
    """Returns the forecast of now. The last days are those before today, since the first
    application.
    """
    programme = Programme.current()
    today = clock.now().astimezone(programme.zone).date()
    window = Milestone.objects.filter(kind=Milestone.Kind.REFUND_WINDOW_ENDS).first()
    ends = window.at.astimezone(programme.zone).date() if window else None
    return project(
        _routes(today, programme.time_zone),
        today=today,
        # The milestone is the first instant after the last day.
        window_ends=ends - dt.timedelta(days=1) if ends else None,
        not_applied=Entitlement.objects.filter(state__in=Entitlement.APPLICABLE).count(),
        pays_on=list(PayoutWave.objects.ahead(today).values_list("pay_on", flat=True)),
    )


def _routes(today: dt.date, zone: str) -> dict[str, Route]:
    since = today - dt.timedelta(days=DAYS_BACK)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(submitted_at AT TIME ZONE %s)::date FROM refunds_refundapplication", [zone]
        )
        (first,) = cursor.fetchone()
    since = max(since, first or since)
    days = [since + dt.timedelta(days=number) for number in range((today - since).days)]
    applied = _by_day(_APPLIED, zone, since, today)
    paid = _by_day(_PAID, zone, since, today, Payout.State.SETTLED)
    waiting = dict(
        RefundApplication.objects.filter(entitlement__state__in=_WAITING)
        .exclude(state__in=_NOT_BEHIND)
        .values_list("channel")
        .annotate(people=Count("entitlement", distinct=True))
    )
    return {
        channel: Route(
            waiting=waiting.get(channel, 0),
            applied=[applied[channel][day] for day in days],
            paid=[paid[channel][day] for day in days],
        )
        for channel in RefundApplication.Channel.values
        if channel in RefundApplication.OF_HOLDERS or channel in {*waiting, *applied, *paid}
    }


_WAITING = tuple(set(Entitlement.UNPAID) - {*Entitlement.APPLICABLE, Entitlement.State.HELD})
_NOT_BEHIND = (
    RefundApplication.State.DRAFT,
    RefundApplication.State.REJECTED,
    RefundApplication.State.WITHDRAWN,
)
_APPLIED = """
    SELECT channel, (submitted_at AT TIME ZONE %(zone)s)::date AS day, count(*)
    FROM refunds_refundapplication
    WHERE submitted_at >= %(since)s::timestamp AT TIME ZONE %(zone)s
      AND submitted_at < %(until)s::timestamp AT TIME ZONE %(zone)s
    GROUP BY 1, 2
"""
_PAID = """
    SELECT a.channel, (p.result_at AT TIME ZONE %(zone)s)::date AS day, count(*)
    FROM refunds_payout p
    JOIN LATERAL (
        SELECT channel FROM refunds_refundapplication
        WHERE entitlement_id = p.entitlement_id ORDER BY id DESC LIMIT 1
    ) a ON true
    WHERE p.state = %(state)s
      AND p.result_at >= %(since)s::timestamp AT TIME ZONE %(zone)s
      AND p.result_at < %(until)s::timestamp AT TIME ZONE %(zone)s
    GROUP BY 1, 2
"""


def _by_day(
    sql: str, zone: str, since: dt.date, until: dt.date, state: str = ""
) -> dict[str, defaultdict[dt.date, int]]:
    found: dict[str, defaultdict[dt.date, int]] = defaultdict(lambda: defaultdict(int))
    with connection.cursor() as cursor:
        cursor.execute(sql, {"zone": zone, "since": since, "until": until, "state": state})
        for channel, day, count in cursor.fetchall():
            found[channel][day] = count
    return found
