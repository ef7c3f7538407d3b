"""Fields of the acts: instants in the programme's zone, days, evidence, amounts in its
currency."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from babel.numbers import get_currency_precision
from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from winddown import clock
from winddown.models import NoticeEvidence, Programme
from winddown.programme import jurisdictions
from winddown.programme.evidence_files import File

# Sums of days and zones stay inside the calendar.
YEARS = {str(year) for year in range(2000, 2100)}
# What the database holds.
_MINOR_MAX = 2**63 - 1
Bounds = tuple[dt.date, dt.date]


def happened() -> Bounds:
    """Returns between which days something happened that is recorded now."""
    return _bounds("happened")


def planned() -> Bounds:
    """Returns between which days something is set that is still to come."""
    return _bounds("planned")


def _bounds(kind: str) -> Bounds:
    today = clock.now().astimezone(Programme.current().zone).date()
    return jurisdictions.current().dates[kind].bounds(today)


class Bounded(forms.Field):
    """A field of which the law of the programme says the least and the greatest day."""

    def __init__(self, *, between: Callable[[], Bounds], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.between = between

    def refuse_beyond(self, day: dt.date) -> None:
        least, most = self.between()
        if not least <= day <= most:
            raise ValidationError(
                _("Choose a day from %(least)s to %(most)s."),
                params={"least": least.isoformat(), "most": most.isoformat()},
            )

    def get_bound_field(self, form: forms.BaseForm, field_name: str) -> BoundField:
        bound = super().get_bound_field(form, field_name)
        least, most = self.between()
        facts = {"least": least.isoformat(), "most": most.isoformat()}
        span = gettext("From %(least)s to %(most)s.") % facts
        bound.help_text = f"{bound.help_text} {span}".strip()
        return bound


class DayField(Bounded, forms.DateField):
    """A day in the programme's zone."""

    def clean(self, value: Any) -> dt.date | None:
        day: dt.date | None = super().clean(value)
        if day is not None:
            self.refuse_beyond(day)
        return day


class LocalInstantField(Bounded, forms.CharField):
    """An instant in the programme's zone. Hour 24 is the end of the day."""

    def clean(self, value: Any) -> dt.datetime | None:
        at: dt.datetime | None = super().clean(value)
        if at is not None:
            # The end of a day is of that day.
            last = at.astimezone(Programme.current().zone) - dt.timedelta(microseconds=1)
            self.refuse_beyond(last.date())
        return at

    def to_python(self, value: Any) -> dt.datetime | None:  # type: ignore[override]
        text = super().to_python(value)
        if not text:
            return None
        try:
            if text[:4] not in YEARS:
                raise ValueError(text)
            return clock.instant(text, zone=Programme.current().time_zone)
        except ValueError as error:
            raise ValidationError(
                _("Write it like 2019-09-30T24:00, in the programme's time zone.")
            ) from error


class EvidenceField(forms.FileField):
    """A file that shows something, small enough to be kept."""

    def clean(self, data: Any, initial: Any = None) -> File | None:
        given = super().clean(data, initial)
        if not given:
            return None
        if given.size > NoticeEvidence.BYTES_MAX:
            raise ValidationError(
                _("The file is larger than %(most)s MiB."),
                params={"most": NoticeEvidence.BYTES_MAX // 2**20},
            )
        return File(name=given.name, content=given.read())


class AmountField(forms.DecimalField):
    """An amount as people write it, with as many decimals as the programme's currency has. Its
    value is in minor units.
    """

    def clean(self, value: Any) -> int | None:
        read: Decimal | None = super().clean(value)
        if read is None:
            return None
        minor = read.scaleb(get_currency_precision(Programme.current().currency))
        # Zeros are refused as well: who writes 1.000 may mean a thousand.
        if int(minor.as_tuple().exponent) < 0:
            raise ValidationError(_("The currency has fewer decimals than that."))
        if abs(minor) > _MINOR_MAX:
            raise ValidationError(_("This amount is too large."))
        return int(minor)
