"""`manage.py take_trace`: you see to a trace from now on."""

from __future__ import annotations

from refunds.payouts.trace_acts import TRACES
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "See to a trace from now on."
    examples = ('take_trace --number 3 --by hana --reason "I ask the bank"',)
    acts = TRACES
    verb = "take"
    done = "The trace is yours."
