"""`manage.py close_payout_batch`: close a payout batch whose every payout has its outcome."""

from __future__ import annotations

from refunds.payouts.payout_acts import BATCHES
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Close a payout batch whose every payout has its outcome."
    examples = ('close_payout_batch --number 1 --by hana --reason "all answered"',)
    acts = BATCHES
    verb = "close"
    done = "Nothing more is expected of the batch."
