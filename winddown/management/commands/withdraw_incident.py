"""`manage.py withdraw_incident`: an incident was declared by mistake; a second person decides."""

from __future__ import annotations

from winddown.site.act_command import ActCommand
from winddown.site.programme_acts import PROGRAMME


class Command(ActCommand):
    help = (
        "Ask to withdraw an incident that was declared by mistake. A second person decides with"
        " `manage.py approve`; then the deadlines of the reports no longer count. Refused while"
        " anything rests on the incident."
    )
    examples = ('withdraw_incident --by hana --reason "the alarm was a test"',)
    acts = PROGRAMME
    verb = "withdraw-incident"
    done = "The withdrawal waits for a second person. The deadlines still count."
