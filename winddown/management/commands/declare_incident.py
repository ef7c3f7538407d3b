"""`manage.py declare_incident`: the deadlines of the reports begin to count."""

from __future__ import annotations

from winddown.site.act_command import ActCommand
from winddown.site.programme_acts import PROGRAMME


class Command(ActCommand):
    help = "Declare an incident: the deadlines for reports to the authorities count from then on."
    examples = (
        'declare_incident --aware-at 2019-07-02T09:00 --by hana --reason "strange charges"',
    )
    acts = PROGRAMME
    verb = "declare-incident"
    done = "The incident is declared."
