"""What people do about reminders: they let them go out, and get the letters to print."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from refunds.applications import reminder_letters, reminders
from refunds.models import ReminderSchedule
from winddown import clock
from winddown.actors import Actor
from winddown.programme import publications
from winddown.site import acts
from winddown.site.acts import Act
from winddown.site.decisions import Decision
from winddown.site.forms import ReasonForm
from winddown.words import Text


class LettersForm(ReasonForm):
    number = forms.IntegerField(
        label=_("The file of letters, again"),
        required=False,
        min_value=1,
        max_value=2**31 - 1,
        help_text=_("Its number. Empty: the letters that are in no file yet."),
    )


def letters(actor: Actor, given: dict[str, Any]) -> HttpResponse:
    """Returns the file as an answer that a browser stores."""
    file = reminder_letters.export(actor=actor, reason=given["reason"], number=given["number"])
    answer = HttpResponse(file.content, content_type="application/octet-stream")
    answer["Content-Disposition"] = content_disposition_header(True, file.name)
    return answer


def _begun() -> Text:
    notice = publications.newest_notice()
    if notice is None:
        return _("There is no public notice yet.")
    if clock.now() >= publications.window_ends(notice):
        return _("The window is over.")
    if ReminderSchedule.objects.filter(last_day=notice.window_last_day).exists():
        return _("They go out already before the last day of the notice.")
    return ""


def _no_letters() -> Text:
    return "" if reminder_letters.any_exists() else _("There is no letter.")


REMINDERS: dict[str, Act] = {
    "begin": Act(
        title=pgettext_lazy("verb", "Send reminders"),
        effect=_(
            "60, 30, 7 and 1 days before the last day, and on that day, everybody who has not"
            " applied gets a message."
        ),
        permission=reminders.PERMISSION,
        do=lambda actor, given: reminders.begin(actor=actor, reason=given["reason"]),
        tone="danger",
        not_now=_begun,
    ),
    "letters": Act(
        title=pgettext_lazy("verb", "Print the letters"),
        effect=_("One page for each person whom neither mail nor telephone reaches."),
        permission=reminders.PERMISSION,
        form=LettersForm,
        do=letters,
        not_now=_no_letters,
    ),
}


@dataclass(frozen=True, slots=True)
class RemindersPage:
    """The reach of the reminders, and what can be done."""

    schedule: ReminderSchedule | None
    rows: list[reminders.Reach]
    letters_waiting: int
    not_reached: int
    decisions: list[Decision]


def look(*, actor: Actor) -> RemindersPage:
    """Returns the page as `actor` sees it."""
    notice = publications.newest_notice()
    schedule = (
        ReminderSchedule.objects.filter(last_day=notice.window_last_day).first() if notice else None
    )
    return RemindersPage(
        schedule=schedule,
        rows=reminders.reach(schedule),
        letters_waiting=reminder_letters.waiting(),
        not_reached=reminders.not_reached().count(),
        decisions=[acts.decision(verb, act, actor=actor) for verb, act in REMINDERS.items()],
    )
