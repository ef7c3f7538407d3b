"""`manage.py complete_programme`: nothing is open any more."""

from __future__ import annotations

from winddown.site.act_command import ActCommand
from winddown.site.programme_acts import PROGRAMME


class Command(ActCommand):
    help = "Complete the programme. Refused while anything is open, or without the closing proof."
    examples = ('complete_programme --by hana --reason "all is paid"',)
    acts = PROGRAMME
    verb = "complete"
    done = "The programme is completed."
