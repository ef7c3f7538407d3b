"""The look-up: one account or wallet without personal data, and what happened to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from django import forms
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Count, Q
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy, pgettext_lazy

from winddown import words
from winddown.actors import Actor, require
from winddown.evidence import audit
from winddown.models import AuditEntry, TransitionLog
from winddown.site import audit_page, panels
from winddown.site.forms import ReasonForm
from winddown.site.panels import Card
from winddown.site.reading import (
    Line,
    Reading,
    ReadingForm,
    Source,
    disclose,
    in_period,
    key_field,
    who,
)
from winddown.words import Text

REVEALERS_MAX = 20
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


LOOK_UP = "winddown.look_up"
# The reason of the last search in a session: what it leads to is read for that reason.
REASON = "look_up_reason"


class FindForm(ReasonForm):
    """What somebody types to find an account or wallet, and why. It may be an address, so no URL has
    it.
    """

    field_order = ("q", "reason")
    digest = None  # type: ignore[assignment]  # no form of a page: Django takes the field out

    q = forms.CharField(
        label=gettext_lazy("Account or wallet"),
        max_length=254,
        error_messages={
            "required": gettext_lazy(
                "Enter a reference, a login ID, an address, a name or a subject."
            ),
            "unknown": gettext_lazy("There is no such account or wallet."),
        },
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "autocapitalize": "none",
                "spellcheck": "false",
            }
        ),
    )
    hints: ClassVar[dict[str, Text]] = {
        "q": gettext_lazy(
            "The whole reference, login ID, e-mail address, telephone number or name, or a subject"
            " such as account:12 or wallet:7."
        ),
        "reason": gettext_lazy("For example the customer's call. The audit journal records it."),
    }


class LookUpForm(ReadingForm):
    """The subject that was found, and the filters of its rows."""

    q = forms.RegexField(
        r"\A[a-z]+:[0-9]{1,18}\Z",
        required=False,
        widget=forms.HiddenInput,
        error_messages={
            "invalid": gettext_lazy("Nothing has this address. Look for it with the form.")
        },
    )
    # Sixteen digits of microseconds reach into the year 2286.
    before = key_field(r"[0-9]{1,16}-[0-9]{1,2}-[0-9]{1,18}")


def disclose_found(typed: str, *, actor: Actor, reason: str) -> list[Card]:
    """`actor` learns which account or wallet the text names, and the audit journal says so, because
    nobody has to go on to the page of what was found.

    Returns one card, or the cards of several accounts that share what was typed. Raises
    `NotPermitted`.
    """
    require(actor, LOOK_UP, action="read look_up")
    cards = panels.found(typed)
    accounts = [card for card in cards if card.subject.startswith("account:")]
    found = accounts if len(accounts) > 1 else cards[:1]
    with transaction.atomic():
        audit.append(
            "look_up.read",
            found[0].subject if len(found) == 1 else "look_up",
            actor=actor,
            reason=reason,
            query={},
            rows=len(found),
            as_file=False,
        )
    return found


def disclose_cards(found: list[Card], *, actor: Actor, reason: str) -> list[Card]:
    """Returns all cards of the one account or wallet that was found; the audit journal records the
    reading. Of several accounts the cards were recorded when they were found.
    """
    if len(found) != 1:
        return found
    return disclose(SOURCE, {"q": found[0].subject}, actor=actor, reason=reason).cards


def is_filtered(seen: Reading) -> bool:
    """Returns whether the page is about a subject that was found, with the filters of its rows."""
    wrong = set(seen.form.errors)
    return bool(seen.cards) or bool(seen.form.data.get("q") and wrong and "q" not in wrong)


def reveals(*, at: dt.datetime) -> list[tuple[Text, int, int]]:
    """Returns who read personal data in full, how often in the last day and in the last week."""
    week, day = at - dt.timedelta(days=7), at - dt.timedelta(days=1)
    counted = (
        AuditEntry.objects.filter(action__in=panels.REVEALS.names(), at__gt=week)
        .values_list("actor_id")
        .annotate(of_week=Count("seq"), of_day=Count("seq", filter=Q(at__gt=day)))
        .order_by("-of_day", "-of_week")[:REVEALERS_MAX]
    )
    people = get_user_model().objects.in_bulk([actor for actor, _week, _day in counted])
    return [(who(people.get(actor))[0], of_day, of_week) for actor, of_week, of_day in counted]


def _cards(given: Mapping[str, Any]) -> list[Card]:
    return panels.found(given["q"])


def _lines(given: Mapping[str, Any], rows_max: int) -> list[Line]:
    """Returns the newest rows of the audit journal and of the machines' logs, as one list.

    Several rows may have one instant. A key therefore has the instant, the number of the source and
    the number of the row in it.
    """
    cards: list[Card] = given["cards"]
    sources = [(log, row, card.machine) for card in cards for log, row in card.logs]
    subjects = [subject for card in cards for subject in card.subjects]
    lines = [
        _with_key(audit_page.line(entry), 0, entry.seq)
        for entry in AuditEntry.objects.filter(_window(given, 0, "seq"), subject__in=subjects)
        .select_related("actor")
        .order_by("-at", "-seq")[:rows_max]
    ]
    for place, (log, row, machine) in enumerate(sources, start=1):
        entries = log._default_manager.filter(_window(given, place, "id"), subject_id=row)
        lines += _of_log(entries.order_by("-at", "-id")[:rows_max], place=place, machine=machine)
    return sorted(lines, key=_order, reverse=True)[:rows_max]


def _window(given: Mapping[str, Any], place: int, number: str) -> Q:
    """Returns the condition for the rows of one source that the filters and the last key leave."""
    window = in_period(given, "at")
    if not given["before"]:
        return window
    micros, last_place, last_number = _parts(given["before"])
    at = _EPOCH + micros * _MICROSECOND
    if place < last_place:
        return window & Q(at__lte=at)
    if place > last_place:
        return window & Q(at__lt=at)
    return window & (Q(at__lt=at) | Q(at=at, **{f"{number}__lt": last_number}))


def _with_key(line: Line, place: int, number: int) -> Line:
    return replace(line, key=f"{(line.at - _EPOCH) // _MICROSECOND}-{place}-{number}")


def _parts(key: str) -> tuple[int, int, int]:
    micros, place, number = map(int, key.split("-"))
    return micros, place, number


def _order(line: Line) -> tuple[int, int, int]:
    return _parts(line.key)


def _of_log(entries: Iterable[TransitionLog], *, place: int, machine: str) -> list[Line]:
    entries = list(entries)
    actors = get_user_model().objects.in_bulk(
        {entry.actor_id for entry in entries if entry.actor_id}
    )
    lines = []
    for entry in entries:
        person, number = who(actors.get(entry.actor_id))
        before, after = (words.state_word(machine, each) for each in (entry.source, entry.target))
        line = Line(
            key="",
            at=entry.at,
            person=person,
            person_note=number,
            action=words.act_title(f"{machine}.{entry.transition}"),
            code=f"{machine}.{entry.transition}",
            subject=f"{machine}:{entry.subject_id}",
            reason=entry.reason,
            result=after.word,
            tone=after.tone,
            result_note=format_lazy(pgettext_lazy("state", "before: {state}"), state=before.word),
        )
        lines.append(_with_key(line, place, entry.id))
    return lines


SOURCE = Source(
    code="look_up",
    title=gettext_lazy("Look-up"),
    about=gettext_lazy("One account or wallet, without personal data. Reading is recorded."),
    form=LookUpForm,
    lines=_lines,
    cards=_cards,
    permission=LOOK_UP,
    reasoned=True,
)
