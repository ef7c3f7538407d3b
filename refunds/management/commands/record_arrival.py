"""`manage.py record_arrival`: what somebody said who was asked whether the money arrived."""

from __future__ import annotations

from refunds.payouts.trace_acts import TRACES
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = (
        "Record whether the money of a payout arrived, of somebody who was asked. A no is traced."
    )
    examples = ('record_arrival --number 7 --answer no --by mika --reason "said by telephone"',)
    acts = TRACES
    verb = "answer"
    done = "The answer counts."
