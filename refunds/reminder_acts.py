"""What people do about reminders: they let them go out, and get the letters to print."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from refunds.applications import claim_letters, reminder_letters, reminders
from refunds.models import ReminderSchedule
from winddown import clock
from winddown.actors import Actor
from winddown.programme import publications
from winddown.site import acts
from winddown.site.acts import Act
from winddown.site.decisions import Decision
from winddown.site.letter_acts import letters_act
from winddown.words import Text


def _begun() -> Text:
    notice = publications.newest_notice()
    if notice is None:
        return _("There is no public notice yet.")
    if clock.now() >= publications.window_ends(notice):
        return _("The window is over.")
    if ReminderSchedule.objects.filter(last_day=notice.window_last_day).exists():
        return _("They go out already before the last day of the notice.")
    return ""


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
    "letters": letters_act(
        title=pgettext_lazy("verb", "Print the letters"),
        effect=_("One page for each person whom neither mail nor telephone reaches."),
        permission=reminders.PERMISSION,
        export=reminder_letters.export,
        any_exists=reminder_letters.any_exists,
    ),
    "claim-letters": letters_act(
        title=pgettext_lazy("verb", "Print the letters with claim numbers"),
        effect=_(
            "Everybody whom a letter alone reaches gets a claim number and the paper form. Codes that"
            " were asked for by letter are in the same file."
        ),
        permission=claim_letters.PERMISSION,
        export=claim_letters.export,
        any_exists=claim_letters.any_exists,
    ),
}


@dataclass(frozen=True, slots=True)
class RemindersPage:
    """The reach of the reminders, and what can be done."""

    schedule: ReminderSchedule | None
    rows: list[reminders.Reach]
    letters_waiting: int
    claim_letters_waiting: int
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
        claim_letters_waiting=claim_letters.waiting(),
        not_reached=reminders.not_reached().count(),
        decisions=[acts.decision(verb, act, actor=actor) for verb, act in REMINDERS.items()],
    )
