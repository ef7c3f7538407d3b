"""`manage.py report_completion`: the authority has the completion report."""

from __future__ import annotations

from winddown.site.act_command import ActCommand
from winddown.site.programme_acts import PROGRAMME


class Command(ActCommand):
    help = "Record that the authority has the completion report."
    examples = ('report_completion --by hana --reason "all is settled"',)
    acts = PROGRAMME
    verb = "report"
    done = "The completion report is recorded."
