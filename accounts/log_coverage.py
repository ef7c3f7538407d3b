"""For which time nothing is missing in the logs, so that "none found" can be said."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from accounts.models import AuthEvent, LogCoverage

Span = tuple[dt.datetime, dt.datetime]


@dataclass(frozen=True, slots=True)
class Coverage:
    """The times for which each log is complete, by log, as spans in their order without overlap."""

    complete: dict[str, list[Span]]

    def gaps(self, log: str, since: dt.datetime, until: dt.datetime) -> list[Span]:
        """Returns the spans between `since` and `until` (exclusive) for which the log is not known
        to be complete.
        """
        left = [(since, until)] if since < until else []
        for each in self.complete.get(log, []):
            left = _without(left, each)
        return left


def coverage() -> Coverage:
    """Returns the coverage of every log, as the rows of `LogCoverage` state it now."""
    found: dict[str, list[Span]] = {log: [] for log in AuthEvent.Event.values}
    for row in LogCoverage.objects.order_by("stated_at", "-complete", "pk"):
        span = (row.covered_from, row.covered_until)
        rest = _without(found[row.log], span)
        found[row.log] = sorted([*rest, span] if row.complete else rest)
    return Coverage(found)


def _without(spans: list[Span], taken: Span) -> list[Span]:
    """Returns the parts of the spans that lie outside of `taken`."""
    parts = [
        part
        for since, until in spans
        for part in ((since, min(until, taken[0])), (max(since, taken[1]), until))
    ]
    return [(since, until) for since, until in parts if since < until]
