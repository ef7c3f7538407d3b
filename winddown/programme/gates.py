"""Gates of milestones: what must be true before one is reached, counted in the data."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import lazy
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from winddown import money
from winddown.models import Capability, Programme, Run
from winddown.registries import Registry
from winddown.words import Text


@dataclass(frozen=True, slots=True)
class Count:
    """One number of a gate. The gate fails while anything is `missing`.

    `of` is what the number is compared with. An amount is in minor units.
    """

    title: Text
    found: int
    missing: int
    of: int
    is_amount: bool = False

    def __str__(self) -> str:
        """Returns "Refunds not paid: 12 of 370,000", and by how much a smaller number falls short."""
        facts = {
            "title": self.title,
            "found": self._spoken(self.found),
            "of": self._spoken(self.of),
            "missing": self._spoken(self.missing),
        }
        if self.missing in (0, self.found):
            return _("%(title)s: %(found)s of %(of)s") % facts
        return _("%(title)s: %(found)s of %(of)s, %(missing)s missing") % facts

    def _spoken(self, number: int) -> str:
        if not self.is_amount:
            return f"{number:,}"
        currency = Programme.current().currency
        return money.spoken(number, currency=currency, locale=get_language() or "ja")


@dataclass(frozen=True, slots=True)
class Gate:
    """What a milestone waits for."""

    title: Text
    counts: Callable[[], list[Count]]


GATES: Registry[Gate] = Registry(
    "gates of milestones",
    entries_are="by name: what must be true before a milestone is reached, with its numbers",
    owner=__name__,
)


def measured(name: str) -> list[Count]:
    """Returns the numbers of the gate now. An empty name is a milestone without a gate."""
    return GATES[name].counts() if name else []


def open_now(title: Text, *, found: int, of: int, is_amount: bool = False) -> Count:
    """Returns the number of what is open: the gate fails while it is not zero."""
    return Count(title, found=found, missing=found, of=of, is_amount=is_amount)


def failing(counts: Iterable[Count]) -> list[Count]:
    """Returns the numbers by which a gate fails."""
    return [each for each in counts if each.missing]


def _said(parts: Iterable[object]) -> str:
    return "; ".join(str(part) for part in parts)


said: Any = lazy(_said, str)
"""Returns the parts as one sentence in the language of its reader."""


def _stops() -> list[Count]:
    stopped = Capability.objects.exclude(state=Capability.State.ENABLED)
    return [
        open_now(
            gettext_lazy("Stops that nobody ratified"),
            found=stopped.filter(ratified_by=None, ratify_by__isnull=False).count(),
            of=stopped.count(),
        )
    ]


def _runs() -> list[Count]:
    ended = (Run.State.SUCCEEDED, Run.State.ABORTED)
    return [
        open_now(
            gettext_lazy("Runs that have not ended"),
            found=Run.objects.exclude(state__in=ended).count(),
            of=Run.objects.count(),
        )
    ]


GATES.add("stops", Gate(gettext_lazy("Every stop is ratified"), _stops))
GATES.add("runs", Gate(gettext_lazy("Every run has ended"), _runs))
