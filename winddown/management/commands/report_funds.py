"""`manage.py report_funds`: the funds set aside, as their custodian reports them."""

from __future__ import annotations

from winddown.site.act_command import ActCommand
from winddown.site.programme_acts import PROGRAMME


class Command(ActCommand):
    help = "Record the newest report of the funds that are set aside for holders."
    examples = ('report_funds --amount 250000000 --by hana --reason "statement of the bank"',)
    acts = PROGRAMME
    verb = "report-funds"
    done = "The report of the funds is kept."
