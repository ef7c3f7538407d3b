"""`manage.py send_reminders`: those who have not applied are reminded before the last day."""

from __future__ import annotations

from refunds.reminder_acts import REMINDERS
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Let reminders go out 60, 30, 7 and 1 days before the last day, and on that day."
    examples = ('send_reminders --by hana --reason "a month is left"',)
    acts = REMINDERS
    verb = "begin"
    done = "The clockwork sends them, each wave on its day."
