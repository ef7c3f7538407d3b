"""`manage.py void_payout_batch`: ask a second person to agree that a payout batch is never sent."""

from __future__ import annotations

from refunds.payouts.payout_acts import BATCHES
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Ask a second person to agree that a payout batch is never sent; its payouts wait for another."
    examples = ('void_payout_batch --number 1 --by hana --reason "wrong day"',)
    acts = BATCHES
    verb = "void"
    done = "Nothing has changed yet."
