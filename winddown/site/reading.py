"""Lists that staff read: the columns of a row, who may read it, and the record of each reading."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.contrib.auth import get_user_model
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from winddown import clock, texts, words
from winddown.actors import Actor, require
from winddown.evidence import audit
from winddown.site.panels import Card
from winddown.words import Text

READ_AUDIT = "winddown.read_audit"
PAGE_ROWS = 50
FILE_ROWS_MAX = 10_000
DAYS = (dt.date(2000, 1, 1), dt.date(2199, 1, 1))


@dataclass(frozen=True, slots=True)
class Line:
    """One row: who did what to what, when, why, and what came of it.

    `key` is the row's place in the list, and no other row has it. A note stands below its column.
    """

    key: str
    at: dt.datetime
    person: Text
    action: Text
    code: str
    subject: str
    reason: Text
    result: Text
    tone: str
    person_note: Text = ""
    subject_title: Text = ""
    url: str = ""
    result_note: Text = ""


def _day_field(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        input_formats=["%Y-%m-%d", "%Y/%m/%d"],
        validators=[MinValueValidator(DAYS[0]), MaxValueValidator(DAYS[1])],
        error_messages={"invalid": gettext_lazy("Enter a day like 2019-07-04.")},
    )


def key_field(pattern: str) -> forms.RegexField:
    """Returns the field of the key of the last row that was read."""
    return forms.RegexField(
        rf"\A{pattern}\Z",
        required=False,
        widget=forms.HiddenInput,
        error_messages={"invalid": gettext_lazy("This part of the list does not exist.")},
    )


class ReadingForm(forms.Form):
    """The filters that every list has. Only rows that come after the key `before` are read."""

    since = _day_field(pgettext_lazy("period", "From"))
    until = _day_field(gettext_lazy("To, this day included"))
    before = key_field(r"[0-9]{1,18}")
    hints: ClassVar[dict[str, Text]] = {
        "since": gettext_lazy("For example 2019-07-04."),
        "until": gettext_lazy("For example 2019-07-04."),
    }

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        since, until = given.get("since"), given.get("until")
        if since and until and since > until:
            self.add_error("until", _("The last day is before the first."))
        return given


def filter_field(label: Any, *, length_max: int) -> forms.CharField:
    """Returns the field of a filter that may stay empty."""
    return forms.CharField(
        label=label,
        max_length=length_max,
        required=False,
    )


class ActsForm(ReadingForm):
    """The filters of a list of acts: also who acted, and on what."""

    person = filter_field(gettext_lazy("Person"), length_max=100)
    subject = filter_field(gettext_lazy("Subject"), length_max=120)
    hints: ClassVar[dict[str, Text]] = {
        **ReadingForm.hints,
        "subject": gettext_lazy("For example run:12 or capability:spend."),
    }


@dataclass(frozen=True, slots=True)
class Source:
    """One list and its filters.

    `lines` gets the filters and the greatest number of rows, and returns the newest rows first.
    `cards` finds the things that the rows are about. Only the look-up has it. With an empty
    `permission` every member of staff may read the list. A list that is `reasoned` is read for a
    reason.
    """

    code: str
    title: Text
    about: Text
    form: type[ReadingForm]
    lines: Callable[[Mapping[str, Any], int], list[Line]]
    cards: Callable[[Mapping[str, Any]], list[Card]] | None = None
    permission: str = READ_AUDIT
    reasoned: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What one person reads at once. `query` is the filters as a part of an address."""

    source: Source
    form: ReadingForm
    at: dt.datetime
    asked: bool = False
    query: str = ""
    lines: list[Line] = field(default_factory=list)
    cards: list[Card] = field(default_factory=list)
    older: str = ""

    @property
    def older_query(self) -> str:
        """Returns the query of the rows that come after these."""
        before = urlencode({"before": self.older})
        return f"{self.query}&{before}" if self.query else before


def disclose(
    source: Source,
    typed: Mapping[str, Any],
    *,
    actor: Actor,
    as_file: bool = False,
    reason: str = "",
) -> Reading:
    """The audit journal says that `actor` reads the rows that the typed filters find. They are
    returned.

    Nothing is read or recorded while a filter is not valid, or a reason is missing that the list
    needs. The look-up reads nothing before it has a subject. A file has at most `FILE_ROWS_MAX`
    rows, a page `PAGE_ROWS`. A second reading is recorded again. Raises `NotPermitted`.
    """
    if source.permission:
        require(actor, source.permission, action=f"read {source.code}")
    form, at = source.form(typed), clock.now()
    if not form.is_valid():
        return Reading(source=source, form=form, at=at)
    given = form.cleaned_data
    if (source.cards is not None and not given["q"]) or (source.reasoned and not reason):
        return Reading(source=source, form=form, at=at)
    rows_max = FILE_ROWS_MAX if as_file else PAGE_ROWS
    with transaction.atomic():
        cards = source.cards(given) if source.cards else []
        lines = source.lines({**given, "cards": cards}, rows_max + 1)
        shown = lines[:rows_max]
        said = _said(given, cards=cards if source.cards else None)
        audit.append(
            f"{source.code}.read",
            cards[0].subject if cards else source.code,
            actor=actor,
            reason=reason,
            query={**said, "before": given["before"]},
            rows=len(shown),
            as_file=as_file,
        )
    return Reading(
        source=source,
        form=form,
        at=at,
        asked=True,
        query=urlencode(said),
        lines=shown,
        cards=cards,
        older=shown[-1].key if len(lines) > rows_max else "",
    )


def _said(given: Mapping[str, Any], *, cards: list[Card] | None) -> dict[str, str]:
    """Returns the filters that are set.

    The text that was typed to find a person may be an address. The subject that was found is
    returned in its place.
    """
    said = {
        name: str(getattr(value, "pk", value))
        for name, value in given.items()
        if value and name != "before"
    }
    if cards is not None:
        said["q"] = cards[0].subject if cards else ""
    return said


def in_period(given: Mapping[str, Any], column: str) -> Q:
    """Returns the condition that the column's instant lies in the days, which are days of the
    current zone. Both days are included.
    """
    found = Q()
    if given["since"]:
        found &= Q(**{f"{column}__gte": _midnight(given["since"])})
    if given["until"]:
        found &= Q(**{f"{column}__lt": _midnight(given["until"] + dt.timedelta(days=1))})
    return found


def of_subject(typed: str) -> Q:
    """Returns the condition for a subject and for its parts: "run:1" is not "run:12"."""
    return Q(subject=typed) | Q(subject__startswith=f"{typed}:")


def people(typed: str) -> QuerySet[Any]:
    """Returns the staff that the text means: a login id, a staff number, or a part of a name."""
    return (
        get_user_model()
        .objects.filter(kind="staff")
        .filter(
            Q(login_id=typed.lower()) | Q(staff_number=typed) | Q(display_name__icontains=typed)
        )
    )


def _midnight(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time()))


def who(user: Any) -> tuple[Text, str]:
    """Returns the text of the person's column, and the note below. A customer is a number."""
    if user is None:
        return words.person_name(None), ""
    if not user.staff_number:
        return gettext_lazy("a customer"), f"account:{user.pk}"
    return words.person_name(user), str(user.staff_number)


# --- a file -------------------------------------------------------------------------------------


def as_csv(reading: Reading, *, address: str) -> str:
    """Returns the reading as CSV: the query and the time of the reading, then the rows.

    No cell is calculated as a formula by a spreadsheet.
    """
    text = io.StringIO()
    out = csv.writer(text)
    for row in _rows(reading, address):
        out.writerow(texts.safe_in_spreadsheet(texts.printable(str(cell))) for cell in row)
    return text.getvalue()


def _rows(reading: Reading, address: str) -> Iterator[list[Any]]:
    yield [_("List"), reading.source.title]
    yield [_("Query"), f"{address}?{reading.query}"]
    yield [_("Read at"), stamp(reading.at)]
    yield [_("Rows"), len(reading.lines)]
    if reading.older:
        yield [_("Not in this file"), f"{address}?{reading.older_query}"]
    yield []
    yield [
        _("Time"),
        _("Person"),
        _("Number"),
        _("Action"),
        _("Code"),
        _("Subject"),
        _("Reason"),
        _("Result"),
        _("Detail"),
    ]
    for line in reading.lines:
        yield [
            stamp(line.at),
            line.person,
            line.person_note,
            line.action,
            line.code,
            line.subject,
            line.reason,
            line.result,
            line.result_note,
        ]


def stamp(at: dt.datetime) -> str:
    """Returns the instant in the current zone, which it names."""
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S %Z}"
