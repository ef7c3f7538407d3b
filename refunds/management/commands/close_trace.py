"""`manage.py close_trace`: a second person is asked to agree to how a trace ended."""

from __future__ import annotations

from refunds.payouts.trace_acts import TRACES
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Ask a second person to agree to how a trace ended."
    examples = (
        'close_trace --number 3 --outcome arrived --explanation "the holder found it, call 9" '
        '--by hana --reason "answered"',
    )
    acts = TRACES
    verb = "close"
    done = "It waits for a second person."
