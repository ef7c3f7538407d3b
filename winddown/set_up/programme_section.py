"""The section `programme`: the service that ends, and the law under which it ends."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any
from zoneinfo import available_timezones

from babel.numbers import list_currencies
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from winddown import clock
from winddown.actors import Actor
from winddown.models import Programme
from winddown.programme import capabilities, jurisdictions, public_notice
from winddown.set_up.sections import SECTIONS, Problem, Row, RowForm, Rows, Section

FIXED = frozenset({"currency", "time_zone", "launched_at", "jurisdiction"})


class InstantField(forms.DateTimeField):
    """An instant with its offset: without one nobody knows which it is."""

    def to_python(self, value: Any) -> dt.datetime | None:
        given = dt.datetime.fromisoformat(value) if _is_iso(value) else value
        if isinstance(given, dt.datetime) and given.tzinfo is None:
            raise ValidationError(_("This instant has no offset such as +09:00."))
        read = super().to_python(given)
        if read and not 1990 <= read.year < 2100:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return read.astimezone(dt.UTC) if read else None


def _is_iso(value: Any) -> bool:
    try:
        dt.datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return False
    return True


def _currency(code: str) -> None:
    if code not in list_currencies():
        raise ValidationError(_("%(code)s is no currency of ISO 4217."), params={"code": code})


def _zone(name: str) -> None:
    if name not in available_timezones():
        raise ValidationError(
            _("%(name)s is no time zone of the IANA database."), params={"name": name}
        )


class ProgrammeForm(RowForm):
    name = forms.CharField(
        max_length=100,
        initial="Sakura Pay",
        help_text="the name of the service, as customers know it",
    )
    currency = forms.CharField(
        validators=[_currency], initial="JPY", help_text="a code of ISO 4217, such as JPY or EUR"
    )
    time_zone = forms.CharField(
        validators=[_zone],
        initial="Asia/Tokyo",
        help_text="the zone of the IANA database in which days end",
    )
    launched_at = InstantField(
        initial=dt.datetime(2019, 7, 1, tzinfo=dt.timezone(dt.timedelta(hours=9))),
        help_text="when the service began: an instant with its offset",
    )
    jurisdiction = forms.ChoiceField(
        choices=[(code, code) for code in jurisdictions.codes()],
        initial="japan",
        help_text=f"whose law applies: one of {', '.join(jurisdictions.codes())}",
    )
    legal_basis = forms.CharField(
        initial="discontinued_all",
        help_text="why the money goes back, as the law of the jurisdiction calls it",
    )
    contact_phone = forms.RegexField(
        public_notice.PHONE,
        required=False,
        initial="0120-000-000",
        help_text="the telephone number on the public pages: digits and hyphens, perhaps + in front",
    )

    def clean(self) -> dict[str, Any]:
        read: dict[str, Any] = super().clean() or {}
        jurisdiction, basis = read.get("jurisdiction"), read.get("legal_basis")
        if jurisdiction and basis not in (known := jurisdictions.pack(jurisdiction).legal_bases):
            self.add_error("legal_basis", f"{jurisdiction} knows {', '.join(known)}.")
        if jurisdiction and (launched := read.get("launched_at")):
            today = clock.now().date()
            least, most = jurisdictions.pack(jurisdiction).dates["launched"].bounds(today)
            if not least <= launched.date() <= most:
                self.add_error("launched_at", f"Choose a day from {least} to {most}.")
        return read


IN_EURO: Row = {
    "name": "Linden Pay",
    "currency": "EUR",
    "time_zone": "Europe/Berlin",
    "launched_at": dt.datetime(2019, 7, 1, tzinfo=dt.timezone(dt.timedelta(hours=2))),
    "jurisdiction": "eu",
    "contact_phone": "+49-30-000000",
}
IN_POUNDS: Row = {
    "name": "Rowan Pay",
    "currency": "GBP",
    "time_zone": "Europe/London",
    "launched_at": dt.datetime(2019, 7, 1, tzinfo=dt.timezone(dt.timedelta(hours=1))),
    "jurisdiction": "uk",
    "contact_phone": "+44-20-000000",
}


def _present() -> list[Row]:
    return [
        {key: getattr(each, key) for key in ProgrammeForm.base_fields}
        for each in Programme.objects.all()
    ]


def _adopt(rows: Sequence[Row], actor: Actor, reason: str) -> Sequence[str]:
    """The programme exists as its row says, with every switch."""
    (row,) = rows
    Programme.objects.update_or_create(pk=1, defaults=dict(row), create_defaults=dict(row))
    capabilities.declare_all()
    return ()


def _check(rows: Rows) -> list[Problem]:
    return [] if rows["programme"] else [Problem("programme", "a table [programme] is expected")]


SECTIONS.add(
    "programme",
    Section(
        form=ProgrammeForm,
        adopt=_adopt,
        present=_present,
        fixed=FIXED,
        check=_check,
        other_examples={"eu": [IN_EURO], "uk": [IN_POUNDS]},
    ),
    place=-2,
)
