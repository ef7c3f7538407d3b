"""The attack page's content: the three waves as bars and rows, their windows, and the sources."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext_lazy as _

from accounts.attacks import attack_windows, rules
from accounts.models import AttackWindow, SuspiciousSource
from winddown import clock
from winddown.actors import Actor
from winddown.site import panels
from winddown.words import Text

PAGE = "attack"
SOURCES_SHOWN = 20
# The chart's own units: one bar per bin, drawn into a box that the page scales.
BAR: Final = 10
HEIGHT: Final = 80
SPANS: Final[dict[str, Text]] = {
    "beginning": _("First two days"),
    "all": _("From beginning to end"),
    "now": _("Last day"),
}
WAVES: Final[dict[str, Text]] = {
    AttackWindow.Wave.UNKNOWN_LOGIN_ID.value: _("Ids that nobody has"),
    AttackWindow.Wave.WRONG_PASSWORD.value: _("Wrong passwords from strange devices"),
    AttackWindow.Wave.SUCCESS.value: _("Sign-ins by suspicious sources"),
}
KINDS: Final[dict[str, Text]] = {
    SuspiciousSource.Kind.ADDRESS.value: _("Address"),
    SuspiciousSource.Kind.NETWORK.value: _("Network"),
    SuspiciousSource.Kind.DEVICE.value: _("Device"),
}


@dataclass(frozen=True, slots=True)
class Bar:
    """One bin of one wave, in the chart's units; `y` grows downwards."""

    x: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """One wave over the shown span. `shades` are its windows: left edge and width."""

    title: Text
    total: int
    most: int
    bars: list[Bar]
    shades: list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class WindowRow:
    window: AttackWindow
    title: Text


@dataclass(frozen=True, slots=True)
class SourceRow:
    source: SuspiciousSource
    title: Text
    shown: str


@dataclass(frozen=True, slots=True)
class AttackPage:
    """Everything on the page."""

    at: dt.datetime
    found: attack_windows.Finding
    windows: list[WindowRow]
    span: str
    since: dt.datetime
    until: dt.datetime
    width: dt.timedelta
    charts: list[Chart]
    bins: list[attack_windows.Bin]
    chart_width: int
    chart_height: int
    sources: list[SourceRow]
    sources_total: int
    panels: list[panels.Panel]
    spans: dict[str, Text]

    @property
    def open(self) -> bool:
        return any(row.window.ended_at is None for row in self.windows)


def look(*, span: str, reader: Actor) -> AttackPage:
    """Returns the page. The number of queries does not depend on the number of attempts."""
    at = clock.now()
    found = attack_windows.finding()
    span = span if span in SPANS else "beginning"
    since, until = _span(span, found, at)
    parts = attack_windows.bins(since=since, until=until)
    rows = SuspiciousSource.objects.select_related("rule").order_by("since", "source")
    return AttackPage(
        at=at,
        found=found,
        windows=[WindowRow(window, WAVES[window.wave]) for window in found.windows],
        span=span,
        since=since,
        until=until,
        width=parts[1].since - since if len(parts) > 1 else until - since,
        charts=[
            _chart(wave, parts, windows=found.windows, since=since, until=until) for wave in WAVES
        ],
        bins=[part for part in parts if part.attempts],
        chart_width=BAR * len(parts),
        chart_height=HEIGHT,
        sources=[
            SourceRow(row, KINDS[row.kind], row.source.removeprefix("device:"))
            for row in rows[:SOURCES_SHOWN]
        ],
        sources_total=sum(found.sources.values()),
        panels=panels.page_panels(PAGE, reader=reader),
        spans=SPANS,
    )


def _span(
    span: str, found: attack_windows.Finding, at: dt.datetime
) -> tuple[dt.datetime, dt.datetime]:
    """Returns the first and the last instant of the chart. A chart of the beginning starts two
    hours before the first window and lasts two days. A chart of everything ends two hours after the
    last window. Without a window, it is the last day.
    """
    read_until = min(found.read_until or at, at).replace(second=0, microsecond=0)
    if span == "now" or not found.windows:
        return read_until - rules.DAY, read_until
    begin = found.windows[0].started_at - 2 * rules.HOUR
    if span == "beginning":
        return begin, begin + 2 * rules.DAY
    return begin, max(window.last_at for window in found.windows) + 2 * rules.HOUR


def _chart(
    wave: str,
    parts: list[attack_windows.Bin],
    *,
    windows: list[AttackWindow],
    since: dt.datetime,
    until: dt.datetime,
) -> Chart:
    counts = [getattr(part, wave) for part in parts]
    most = max(counts)
    heights = [round(HEIGHT * count / most, 1) if most else 0.0 for count in counts]
    width = BAR * len(parts)
    shades = []
    for window in windows:
        left, right = (
            width * max(0.0, min(1.0, (edge - since) / (until - since)))
            for edge in (window.started_at, window.last_at)
        )
        if window.wave == wave and right > left:
            shades.append((round(left, 1), round(right - left, 1)))
    return Chart(
        title=WAVES[wave],
        total=sum(counts),
        most=most,
        bars=[
            Bar(x=BAR * number, y=HEIGHT - height, height=height)
            for number, height in enumerate(heights)
            if height
        ],
        shades=shades,
    )
