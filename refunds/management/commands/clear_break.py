"""`manage.py clear_break`: ask a second person to agree to what a line of the bank was."""

from __future__ import annotations

from refunds.payouts.payout_acts import BREAKS
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Ask a second person to agree to what a line of the bank was; until then no file leaves."
    examples = (
        'clear_break --number 1 --explanation "a copy" --by hana --reason "the bank called"',
    )
    acts = BREAKS
    verb = "clear"
    done = "The break is open until then."
