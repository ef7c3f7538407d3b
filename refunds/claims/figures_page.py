"""The page of the figures: what was known of the fraud at an instant, and the losses of the chosen
count."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from refunds.claims import figures
from refunds.claims.desk_acts import DESK, FUNDINGS
from refunds.claims.figures import ALL_WAYS, LATE, Count, Figures, Row
from refunds.claims.report_acts import CHANNELS
from winddown import clock
from winddown.actors import Actor
from winddown.models import Programme
from winddown.site import acts
from winddown.site.decisions import Decision
from winddown.site.fields import LocalInstantField, happened
from winddown.templatetags.spoken import written_day
from winddown.words import Text

ROWS_SHOWN: Final = 200
TOTAL: Final = pgettext_lazy("figures", "All victims")
GROUPS: Final[dict[str, Text]] = {
    "day": _("By day of the first loss"),
    "issuer": _("By card issuer"),
    "funding": _("By kind of value"),
    "channel": _("By how the claim came in"),
    "first_way": _("By the first way of detection"),
    ALL_WAYS: _("By each way of detection"),
    LATE: _("Late victims"),
}
NOTES: Final[dict[str, Text]] = {
    ALL_WAYS: _("Who was found in several ways counts under each."),
    LATE: _("Their first loss is later than the stop of the last charge."),
}


class AsOfForm(forms.Form):
    as_of = LocalInstantField(
        label=_("As it was known at"),
        required=False,
        between=happened,
        help_text=_("Like 2019-07-31T17:00, in the programme's time zone. Empty: now."),
    )

    def clean_as_of(self) -> dt.datetime:
        now = clock.now()
        # The address of a count names whole seconds.
        at: dt.datetime = self.cleaned_data["as_of"] or now.replace(microsecond=0)
        if at > now:
            raise ValidationError(_("It is still to come."))
        return at


@dataclass(frozen=True, slots=True)
class Line:
    """One count, and the query of the address that shows its losses."""

    title: Text
    of: Count
    query: str


@dataclass(frozen=True, slots=True)
class Group:
    """One breakdown."""

    title: Text
    note: Text
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class FiguresPage:
    """The figures and the losses of the chosen count, the earliest first. Without an instant that
    can be read there are none.
    """

    form: AsOfForm
    found: Figures | None
    total: Line | None
    groups: list[Group]
    chosen: Line | None
    rows: list[Row]
    rows_total: int
    query: str
    decisions: list[Decision]


def look(given: QueryDict, *, actor: Actor) -> FiguresPage:
    """Returns the page. A count that does not exist has no rows."""
    form = AsOfForm(given)
    decisions = [acts.decision("publish", DESK["publish"], actor=actor)]
    if not form.is_valid():
        return FiguresPage(form, None, None, [], None, [], 0, "", decisions)
    at: dt.datetime = form.cleaned_data["as_of"]
    found = figures.as_known(as_of=at)
    as_of = f"{at.astimezone(Programme.current().zone):%Y-%m-%dT%H:%M:%S}"
    lines = {
        each.key: Line(_title(each), each, "?" + urlencode({"as_of": as_of, "of": each.key}))
        for each in (found.total, *found.counts)
    }
    chosen = lines.get(given.get("of", ""))
    rows = figures.rows(chosen.of.key, as_of=at) if chosen else []
    return FiguresPage(
        form=form,
        found=found,
        total=lines[found.total.key],
        groups=[
            Group(title, NOTES.get(by, ""), [line for line in lines.values() if line.of.by == by])
            for by, title in GROUPS.items()
        ],
        chosen=chosen,
        rows=rows[:ROWS_SHOWN],
        rows_total=len(rows),
        query="?" + urlencode({"as_of": as_of}),
        decisions=decisions,
    )


def _title(count: Count) -> Text:
    match count.by:
        case "":
            return TOTAL
        case "day":
            return written_day(count.value)
        case "funding":
            return FUNDINGS[count.value]
        case "issuer":
            return count.value or _("No card issuer")
        case figures.LATE:
            return GROUPS[LATE]
        case _:
            # A rule has its code.
            return CHANNELS.get(count.value, count.value)
