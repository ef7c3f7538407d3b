"""`manage.py trace_payout`: a payout that the bank calls paid is traced: its holder has nothing."""

from __future__ import annotations

from refunds.payouts.trace_acts import TRACES
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Open a trace: the bank calls the payout paid, and its holder does not have the money."
    examples = ('trace_payout --number 7 --by mika --reason "the customer called"',)
    acts = TRACES
    verb = "open"
    done = "On the list of traces."
