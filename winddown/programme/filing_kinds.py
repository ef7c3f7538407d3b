"""The kinds of filings as data: the sections of each, and the figures that go with it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from winddown.registries import Registry
from winddown.words import Text

LINE = re.compile(r"^(?P<what>[^|]+)\|(?P<owner>[^|]+)\|(?P<on>[^|]+)$")


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a filing that people write. `is_measures` asks for lines of what, owner and day."""

    title: Text
    is_measures: bool = False


class Rows(NamedTuple):
    """The rows behind a figure. The last column is the number that a row adds to it."""

    columns: tuple[str, ...]
    lines: Iterator[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of filings: `value` counts it as of an instant, in the data of that instant. `rows`
    gives the rows that it is the sum of.
    """

    title: Text
    value: Callable[[dt.datetime], int]
    is_amount: bool = False
    rows: Callable[[dt.datetime], Rows] | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """What one kind of filing consists of. In an `is_preliminary` one, a section may be empty: it
    is still under investigation.
    """

    title: Text
    sections: Mapping[str, Section]
    figures: tuple[str, ...]
    is_preliminary: bool = False


FIGURES: Registry[Figure] = Registry(
    "figures of filings",
    entries_are="by code: counts a figure as of an instant",
    owner=__name__,
)

# Act on the Protection of Personal Information art. 26, Enforcement Rules art. 8: nine items.
_INCIDENT = {
    "outline": Section(_("Outline")),
    "data_items": Section(_("Items of personal data")),
    "persons": Section(_("Number of persons")),
    "cause": Section(_("Cause")),
    "secondary_damage": Section(_("Secondary damage, or the danger of it")),
    "measures_to_persons": Section(_("What is done towards the persons")),
    "publication": Section(_("Publication")),
    "prevention": Section(_("Measures against a recurrence"), is_measures=True),
    "other": Section(_("Other matters")),
}
_FRAUD = ("customers", "fraud_victims", "fraud_amount")
# In the windows of each wave of an attack.
_SIGN_INS = tuple(
    f"{count}_{wave}"
    for wave in ("unknown_login_id", "wrong_password", "success")
    for count in ("attempts", "successes", "sources")
)
_REFUNDS = (
    "entitled_holders",
    "entitled_amount",
    "paid_amount",
    "excluded_amount",
    "unpaid_amount",
)
# Their identity: entitled = paid + taken over + excluded + not paid yet.
_COMPLETION = (
    "entitled_holders",
    "entitled_amount",
    "applied_refunds",
    "rejected_applications",
    "paid_refunds",
    "paid_amount",
    "returned_transfers",
    "late_claims",
    "transferred_amount",
    "excluded_refunds",
    "excluded_amount",
    "unpaid_amount",
    "difference",
)

KINDS: dict[str, Kind] = {
    "incident_preliminary": Kind(
        _("Preliminary incident report"), _INCIDENT, _FRAUD, is_preliminary=True
    ),
    "incident_final": Kind(_("Final incident report"), _INCIDENT, _FRAUD),
    "discontinuation_report": Kind(
        _("Report of the discontinuation"),
        {
            "business": Section(_("Business that ends, and its instruments")),
            "day": Section(_("Day of the end")),
            "reason_of_end": Section(_("Reason")),
            "refund_method": Section(_("How holders are refunded")),
        },
        ("customers", "unused_balance"),
    ),
    "notice_filing": Kind(
        _("Filing of the public notice"),
        {
            "notice": Section(_("Text of the notice")),
            "channels": Section(_("Where it is published, and since when")),
            "window": Section(_("Window of the refund")),
        },
        ("unused_balance",),
    ),
    "base_date_report": Kind(
        _("Report of the base date"),
        {
            "deposit": Section(_("How the unused balance is secured")),
            "remarks": Section(_("Remarks")),
        },
        ("issued", "redeemed", "unused_balance", "paid_amount", "safeguarded"),
    ),
    "completion_report": Kind(
        _("Report of the completion"),
        {
            "notice": Section(_("Notice: dates and channels")),
            "methods": Section(_("How the refunds were paid")),
            "rejected": Section(_("Rejected applications, with the reasons")),
            "unresolved": Section(_("What is not resolved")),
        },
        _COMPLETION,
    ),
    "investigation_report": Kind(
        _("Investigation report"),
        {
            "cause": Section(_("Cause")),
            "ways_in": Section(_("Ways in that were checked, and what was found")),
            "sign_in_level": Section(_("Contributing factor: level of the sign-in")),
            "whole_view": Section(_("Contributing factor: view of the whole")),
            "mutual_control": Section(_("Contributing factor: mutual control")),
            "measures": Section(_("Measures"), is_measures=True),
        },
        (*_FRAUD, *_SIGN_INS, *_REFUNDS),
    ),
}

AUTHORITIES: dict[str, Text] = {
    "local_finance_bureau": _("Local Finance Bureau"),
    "privacy_commission": _("Personal Information Protection Commission"),
    "trade_ministry": _("Ministry of Economy, Trade and Industry"),
    "home_authority": _("Competent authority of the licence"),
    "data_authority": _("Data protection authority"),
}

CLOCKS: dict[str, Text] = {
    "aware": pgettext_lazy("clock", "Aware of the incident"),
    "announced": pgettext_lazy("clock", "End announced"),
    "notice": pgettext_lazy("clock", "Notice published"),
    "base_date": pgettext_lazy("clock", "Base date"),
    "completed": pgettext_lazy("clock", "Programme completed"),
}


def figures_of(kind: str, *, as_of: dt.datetime) -> dict[str, int]:
    """Returns the figures of the kind by code, as of the instant."""
    return {code: FIGURES[code].value(as_of) for code in KINDS[kind].figures}


@dataclass(frozen=True, slots=True)
class Measure:
    """What is done, who answers for it, and until which day."""

    what: str
    owner: str
    on: dt.date


def measures_in(text: str) -> list[Measure]:
    """Returns the measures of a section, one a line: what | owner | day as 2019-10-01.

    Raises `ValueError` with the line that is written otherwise.
    """
    found = []
    for line in filter(str.strip, text.splitlines()):
        matched = LINE.match(line)
        if matched is None or not (what := matched["what"].strip()):
            raise ValueError(line)
        try:
            on = dt.date.fromisoformat(matched["on"].strip())
        except ValueError as error:
            raise ValueError(line) from error
        if not (owner := matched["owner"].strip()):
            raise ValueError(line)
        found.append(Measure(what=what, owner=owner, on=on))
    return found
