"""`manage.py retake_carrier_file`: a file with codes that was lost on its way is handed out again."""

from __future__ import annotations

from accounts.reset_notices.reset_acts import RESET
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Ask a second person to let a file for a carrier be taken once more."
    examples = ('retake_carrier_file --number 3 --by hana --reason "the download broke off"',)
    acts = RESET
    verb = "again"
    done = "Nobody can take it yet."
