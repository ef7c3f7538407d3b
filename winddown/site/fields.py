"""Fields of the acts: instants in the programme's zone, amounts in its currency, days."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from babel.numbers import get_currency_precision
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _

from winddown import clock
from winddown.models import Programme

# Sums of days and zones stay inside the calendar.
YEARS = {str(year) for year in range(2000, 2100)}
# What the database holds.
_MINOR_MAX = 2**63 - 1
DAYS = [MinValueValidator(dt.date(2000, 1, 1)), MaxValueValidator(dt.date(2099, 12, 31))]


class LocalInstantField(forms.CharField):
    """An instant in the programme's zone. Hour 24 is the end of the day."""

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
