"""Counted minutes are folded into the windows of an attack. A finding tells the windows."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection
from django.db.models import Count

from accounts.attacks import queries
from accounts.attacks.detection import Thresholds, declare
from accounts.attacks.rules import EPOCH, MINUTE, RECENT_FOR, RULES, WAVES
from accounts.models import (
    AttackWatch,
    AttackWindow,
    AuthMinute,
    DetectionRule,
    SuspiciousSource,
)
from winddown import clock
from winddown.actors import SYSTEM
from winddown.evidence import audit


@dataclass(frozen=True, slots=True)
class Minute:
    """The counts of one minute. `at` is in minutes since 1970."""

    at: int
    attempts: int
    unknown_login_id: int
    wrong_password: int
    success: int


def hit(thresholds: Thresholds, evidence: dict[str, Any]) -> bool:
    """Returns whether a wave's rule hits.

    Only the evidence decides, so a stored window can be decided again. `evidence` counts the
    attempts and those that match within its span of minutes, and holds the baseline (the usual
    ratio) that they are compared with.
    """
    needed = thresholds.get(f"matching_{evidence['span_min']}_min")
    if needed is None or evidence["matching"] < needed:
        return False
    if "ratio_min" not in thresholds:
        return True
    ratio_min = max(thresholds["ratio_min"], thresholds["baseline_factor"] * evidence["baseline"])
    return bool(evidence["matching"] >= ratio_min * evidence["attempts"])


class Fold:
    """The minutes, in their order, are folded into windows.

    Its memory fits in a JSON object: the last hour's minutes, the last day's hits, the usual ratios
    (a decaying sum over hours in which no wave was open), and the open windows.
    """

    SPANS = {AttackWindow.Wave.SUCCESS.value: (1_440,)}
    USUAL_SPANS = (5, 60)
    # An hour loses half its weight in the baseline within half a week.
    DECAY = 0.5 ** (1 / 84)
    # Before anything is known: two per cent of a hundred attempts.
    ASSUMED = {"attempts": 100.0, "unknown_login_id": 2.0, "wrong_password": 2.0}
    COUNTED = ("attempts", "unknown_login_id", "wrong_password", "success")

    def __init__(self, memory: dict[str, Any]) -> None:
        self.recent: list[list[int]] = memory.get("recent", [])
        self.hits: list[list[int]] = memory.get("hits", [])
        self.usual: dict[str, float] = memory.get("usual", dict(self.ASSUMED))
        self.hour: dict[str, int] = memory.get("hour", {})
        self.open: dict[str, dict[str, Any]] = memory.get("open", {})
        self.windows: list[dict[str, Any]] = list(self.open.values())

    def memory(self) -> dict[str, Any]:
        return {
            "recent": self.recent,
            "hits": self.hits,
            "usual": self.usual,
            "hour": self.hour,
            "open": self.open,
        }

    def step(self, minute: Minute) -> None:
        """One more minute, later than those before, is folded in."""
        self.pass_time(minute.at)
        counts = [minute.attempts, minute.unknown_login_id, minute.wrong_password]
        self.recent = [row for row in self.recent if row[0] > minute.at - 60]
        self.recent.append([minute.at, *counts])
        self.hits = [row for row in self.hits if row[0] > minute.at - 1_440]
        if minute.success:
            self.hits.append([minute.at, minute.success])
        for wave in WAVES:
            self._judge(wave, minute)
        self._learn(minute)

    def pass_time(self, at: int) -> None:
        """Windows whose wave was quiet for long enough before `at` have ended."""
        for wave, window in list(self.open.items()):
            if at - window["last"] >= WAVES[wave].thresholds["quiet_min"]:
                window["ended"] = True
                del self.open[wave]

    def _judge(self, wave: str, minute: Minute) -> None:
        window = self.open.get(wave)
        if window is not None:
            window["attempts"] += minute.attempts
            window["matching"] += getattr(minute, wave)
        for span in self.SPANS.get(wave, self.USUAL_SPANS):
            first, evidence = self._within(wave, span, minute.at)
            if hit(WAVES[wave].thresholds, evidence):
                if window is None:
                    window = {"wave": wave, "start": first, "ended": False, "evidence": evidence}
                    window |= {"attempts": evidence["attempts"], "matching": evidence["matching"]}
                    self.open[wave] = window
                    self.windows.append(window)
                window["last"] = minute.at + 1
                return

    def _within(self, wave: str, span: int, at: int) -> tuple[int, dict[str, Any]]:
        """Returns the first matching minute of the span that ends with `at`, and the counts of the
        span.
        """
        if wave == AttackWindow.Wave.SUCCESS.value:
            rows = [(row[0], row[1]) for row in self.hits]
            attempts = sum(row[1] for row in rows)
        else:
            column = self.COUNTED.index(wave) + 1
            within = [row for row in self.recent if row[0] > at - span]
            rows = [(row[0], row[column]) for row in within]
            attempts = sum(row[1] for row in within)
        first = next((minute for minute, matching in rows if matching), at)
        return first, {
            "span_min": span,
            "attempts": attempts,
            "matching": sum(matching for _, matching in rows),
            "baseline": self.baseline(wave),
        }

    def baseline(self, wave: str) -> float:
        """Returns the usual share of the wave's attempts."""
        if wave not in self.usual:
            return 0.0
        return round(self.usual[wave] / self.usual["attempts"], 6)

    def _learn(self, minute: Minute) -> None:
        """An hour without a wave counts in the baseline."""
        number = minute.at // 60
        if self.hour.get("number") != number:
            if self.hour and not self.hour["disturbed"]:
                for name, weighed in self.usual.items():
                    self.usual[name] = weighed * self.DECAY + self.hour[name]
            self.hour = {"number": number, "disturbed": 0} | dict.fromkeys(self.ASSUMED, 0)
        self.hour["disturbed"] |= bool(self.open)
        for name in self.ASSUMED:
            self.hour[name] += getattr(minute, name)


def fold(watch: AttackWatch) -> tuple[str, ...]:
    """The windows agree with the counts. Returns the waves of the new windows."""
    if watch.read_until is None or watch.read_until == watch.folded_until:
        return ()
    whole = watch.folded_until is None
    fold = Fold(watch.memory)
    for minute in _minutes(watch.folded_until or EPOCH, watch.read_until):
        fold.step(minute)
    fold.pass_time(_number(watch.read_until))
    rules = declare(RULES, at=clock.now())
    if whole:
        _drop_others(fold.windows)
    opened = [
        window["wave"]
        for window in fold.windows
        if _store(window, rules[WAVES[window["wave"]].code])
    ]
    watch.memory = fold.memory()
    watch.folded_until = watch.read_until
    watch.save(update_fields=["memory", "folded_until"])
    return tuple(opened)


def _number(at: dt.datetime) -> int:
    return int((at - EPOCH).total_seconds()) // 60


def _at(number: int) -> dt.datetime:
    return EPOCH + number * MINUTE


def _minutes(since: dt.datetime, until: dt.datetime) -> list[Minute]:
    counted = AuthMinute.objects.filter(minute__gte=since, minute__lt=until).order_by("minute")
    return [
        Minute(_number(at), *counts)
        for at, *counts in counted.values_list(
            "minute", "attempts", "unknown_login_ids", "strange_passwords", "hits"
        )
    ]


def _drop_others(windows: list[dict[str, Any]]) -> None:
    """Windows that late attempts moved or removed are deleted."""
    stay = {(window["wave"], _at(window["start"])) for window in windows}
    for window in AttackWindow.objects.all():
        if (window.wave, window.started_at) not in stay:
            window.delete()


def _store(window: dict[str, Any], rule: DetectionRule) -> bool:
    """The window's row is up to date. Returns whether the row is new. A new row is an alarm."""
    last_at = _at(window["last"])
    counts = {"attempts": window["attempts"], "matching": window["matching"]}
    row, new = AttackWindow.objects.update_or_create(
        wave=window["wave"],
        started_at=_at(window["start"]),
        defaults={
            "rule": rule,
            "last_at": last_at,
            "ended_at": last_at if window["ended"] else None,
            "evidence": {"opened_by": window["evidence"], **counts},
        },
    )
    if new:
        audit.append(
            "attack.window_opened",
            f"attack_window:{row.pk}",
            actor=SYSTEM,
            wave=row.wave,
            started_at=row.started_at,
            rule=f"{rule.code} v{rule.version}",
        )
    return new


@dataclass(frozen=True, slots=True)
class Finding:
    """The windows in their order, whether the waves came in the order of a list-type attack, and
    the usual ratios.
    """

    read_until: dt.datetime | None
    windows: list[AttackWindow]
    in_order: bool
    sources: dict[str, int]
    baseline: dict[str, float]


def finding(*, as_of: dt.datetime | None = None) -> Finding:
    """Returns everything that was found by `as_of` (default: all of it)."""
    windows = AttackWindow.objects.select_related("rule").order_by("started_at", "wave")
    sources = SuspiciousSource.objects.all()
    if as_of is not None:
        windows = windows.filter(started_at__lte=as_of)
        sources = sources.filter(since__lte=as_of)
    watch = AttackWatch.objects.filter(pk=1).first()
    fold = Fold(watch.memory if watch else {})
    kinds = dict(sources.values_list("kind").annotate(n=Count("pk")))
    found = list(windows)
    return Finding(
        read_until=watch.read_until if watch else None,
        windows=found,
        in_order=in_order(found),
        sources={kind: kinds.get(kind, 0) for kind in SuspiciousSource.Kind.values},
        baseline={wave: fold.baseline(wave) for wave in WAVES if wave in fold.usual},
    )


def in_order(windows: list[AttackWindow]) -> bool:
    """Returns whether unknown ids began before wrong passwords, and these before successes (all
    three).
    """
    first: dict[str, dt.datetime] = {}
    for window in windows:
        first[window.wave] = min(window.started_at, first.get(window.wave, window.started_at))
    begins = [first.get(wave) for wave in WAVES]
    known = [at for at in begins if at is not None]
    return len(known) == len(begins) and known == sorted(known)


def under_attack(*, at: dt.datetime) -> list[AttackWindow]:
    """Returns the windows that are open or ended within the last week, newest first."""
    recent = AttackWindow.objects.filter(ended_at=None) | AttackWindow.objects.filter(
        ended_at__gt=at - RECENT_FOR
    )
    return list(recent.filter(started_at__lte=at).order_by("-started_at"))


@dataclass(frozen=True, slots=True)
class Bin:
    """Attempts in an equal part of the shown span."""

    since: dt.datetime
    attempts: int
    unknown_login_id: int
    wrong_password: int
    success: int
    """Sign-ins by suspicious sources from devices new to the account."""


BINS_MAX: Final = 96


def bins(*, since: dt.datetime, until: dt.datetime) -> list[Bin]:
    """Returns the span in at most `BINS_MAX` equal parts of whole minutes, empty ones too."""
    minutes = max(1, math.ceil((until - since) / MINUTE))
    width = MINUTE * math.ceil(minutes / BINS_MAX)
    with connection.cursor() as cursor:
        cursor.execute(
            queries.BINS, {"since": since, "until": until, "width_s": width.total_seconds()}
        )
        counts = {number: tuple(sums) for number, *sums in cursor.fetchall()}
    return [
        Bin(since + number * width, *counts.get(number, (0, 0, 0, 0)))
        for number in range(math.ceil((until - since) / width))
    ]
