"""The figures of filings about sign-ins: attempts, successes and sources inside the windows of each
wave of an attack, counted in whole minutes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TypeVar

from django.db.models import Count, Exists, Model, OuterRef, QuerySet, Sum
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts.attacks.attack_page import WAVES
from accounts.models import AttackWindow, AuthMinute, SourceMinute
from winddown.programme.filing_kinds import FIGURES, Figure
from winddown.words import Text

M = TypeVar("M", bound=Model)
_MINUTE = dt.timedelta(minutes=1)


def _inside(minutes: QuerySet[M], wave: str, as_of: dt.datetime) -> QuerySet[M]:
    """Returns the minutes inside a window of the wave. One that the instant cuts is not over yet."""
    windows = AttackWindow.objects.filter(
        wave=wave, started_at__lte=OuterRef("minute"), last_at__gt=OuterRef("minute")
    )
    return minutes.filter(Exists(windows), minute__lte=as_of - _MINUTE)


def _sum(column: str, wave: str) -> Callable[[dt.datetime], int]:
    return lambda as_of: (
        _inside(AuthMinute.objects.all(), wave, as_of).aggregate(n=Sum(column))["n"] or 0
    )


def _sources(wave: str) -> Callable[[dt.datetime], int]:
    return lambda as_of: _inside(SourceMinute.objects.all(), wave, as_of).aggregate(
        n=Count("source", distinct=True)
    )["n"]


_COUNTS: dict[str, tuple[Text, Callable[[str], Callable[[dt.datetime], int]]]] = {
    "attempts": (_("attempts to sign in"), lambda wave: _sum("attempts", wave)),
    "successes": (_("successful sign-ins"), lambda wave: _sum("successes", wave)),
    "sources": (_("sources of failed attempts"), _sources),
}

FIGURES.add_all(
    {
        f"{code}_{wave}": Figure(format_lazy("{}: {}", shown, title), count(wave))
        for wave, shown in WAVES.items()
        for code, (title, count) in _COUNTS.items()
    }
)
