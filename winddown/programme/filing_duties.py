"""What is to be filed until when: the duties of the pack whose clocks have started."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from winddown import clock
from winddown.models import Filing, Programme, ProgrammeTransition, PublicNotice
from winddown.programme import jurisdictions
from winddown.programme.filing_kinds import AUTHORITIES, KINDS
from winddown.programme.gates import GATES, Count, Gate, open_now
from winddown.programme.jurisdictions import FilingDuty
from winddown.words import Text

# Japan: 31 March and 30 September (Payment Services Act art. 3(2)).
BASE_DATES = ((3, 31), (9, 30))


@dataclass(frozen=True, slots=True)
class Due:
    """One duty: what is due, to whom, since and until which day, and what was written of it."""

    kind: str
    authority: str
    clock: str
    clock_on: dt.date
    due_on: dt.date
    source: str
    filing: Filing | None

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.authority}:{self.clock_on:%Y-%m-%d}"

    @property
    def title(self) -> Text:
        return KINDS[self.kind].title

    @property
    def addressee(self) -> Text:
        return AUTHORITIES.get(self.authority, self.authority)

    @property
    def has_ended(self) -> bool:
        """Returns whether nothing is due any more, because the clock was stopped."""
        return self._is_withdrawn and not self.clock

    @property
    def full_title(self) -> Text:
        """The same report may be due to several authorities."""
        return format_lazy(
            pgettext_lazy("filing", "{title} ({authority})"),
            title=self.title,
            authority=self.addressee,
        )

    @property
    def is_open(self) -> bool:
        if self.filing is None or self.filing.state in Filing.WITH_US:
            return True
        return self._is_withdrawn and not self.has_ended

    @property
    def _is_withdrawn(self) -> bool:
        return self.filing is not None and self.filing.state == Filing.State.WITHDRAWN

    def is_overdue(self, today: dt.date) -> bool:
        return self.is_open and self.due_on < today


def due() -> list[Due]:
    """Returns the duties whose clock has started, the earliest first (L8, L16).

    Time runs from the day after the clock's start (Civil Code art. 140).
    """
    programme = Programme.current()
    written = {(each.kind, each.authority, each.clock_on): each for each in Filing.objects.all()}
    found = [
        _due(duty, clock_on, written.pop((duty.code, duty.authority, clock_on), None))
        for duty, clock_on in _running(programme)
    ]
    # What was written of an incident stays, also when a later one has started the clock anew.
    found += [
        Due(each.kind, each.authority, "", each.clock_on, each.due_on, "", each)
        for each in written.values()
    ]
    return sorted(found, key=lambda each: (each.due_on, each.kind, each.authority))


def ending_in(programme: Programme) -> list[Due]:
    """Returns the duties that would end if `programme` were as it is given, and not as it stands."""
    kept = {_due(duty, clock_on, None).key for duty, clock_on in _running(programme)}
    return [each for each in due() if each.clock and each.key not in kept]


def _running(programme: Programme) -> Iterator[tuple[FilingDuty, dt.date]]:
    """Yields each duty of the pack with each day on which a clock of it has started."""
    for duty in jurisdictions.pack(programme.jurisdiction).filings:
        for clock_on in sorted(set(CLOCK_STARTS[duty.after](programme))):
            if duty.valid_from <= clock_on:
                yield duty, clock_on


def find(key: str) -> Due | None:
    """Returns the duty of the key, or None."""
    return next((each for each in due() if each.key == key), None)


def today() -> dt.date:
    """Returns the day in the programme's zone."""
    return clock.now().astimezone(zone()).date()


def zone() -> ZoneInfo:
    """Returns the programme's zone, in which days are counted."""
    return Programme.current().zone


def _due(duty: FilingDuty, clock_on: dt.date, filing: Filing | None) -> Due:
    return Due(
        kind=duty.code,
        authority=duty.authority,
        clock=duty.after,
        clock_on=clock_on,
        due_on=filing.due_on if filing else clock_on + dt.timedelta(days=duty.due_days),
        source=duty.source,
        filing=filing,
    )


# --- the clocks ----------------------------------------------------------------------------------


def _on(programme: Programme, *instants: dt.datetime | None) -> Iterator[dt.date]:
    for at in instants:
        if at is not None:
            yield at.astimezone(programme.zone).date()


def _completed(programme: Programme) -> Iterator[dt.date]:
    moves = ProgrammeTransition.objects.filter(target=Programme.State.COMPLETED)
    return _on(programme, *moves.values_list("at", flat=True))


def _base_dates(programme: Programme) -> Iterator[dt.date]:
    """Yields the base dates from the first sign of the end until the completion."""
    began = min(_on(programme, programme.aware_at, programme.announced_at), default=None)
    if began is None:
        return
    last = min(_completed(programme), default=today())
    for year in range(began.year, last.year + 1):
        for month, day in BASE_DATES:
            if began <= (on := dt.date(year, month, day)) < last:
                yield on


CLOCK_STARTS: dict[str, Callable[[Programme], Iterator[dt.date]]] = {
    "aware": lambda programme: _on(programme, programme.aware_at),
    "announced": lambda programme: _on(programme, programme.announced_at),
    "notice": lambda programme: _on(
        programme, *PublicNotice.objects.values_list("published_at", flat=True)
    ),
    "base_date": _base_dates,
    "completed": _completed,
}


def _filed() -> list[Count]:
    known = due()
    return [
        open_now(
            _("Filings that no authority has"),
            found=sum(each.is_open for each in known),
            of=len(known),
        )
    ]


GATES.add("filings", Gate(_("Every filing that is due is with its authority"), _filed))
