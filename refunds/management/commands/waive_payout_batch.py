"""`manage.py waive_payout_batch`: ask to close a payout batch with open payouts."""

from __future__ import annotations

from refunds.payouts.payout_acts import BATCHES
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = (
        "Ask a second person to agree that a payout batch closes although payouts of it are open."
    )
    examples = ('waive_payout_batch --number 1 --by hana --reason "the bank searches"',)
    acts = BATCHES
    verb = "waiver"
    done = "Nothing has changed yet."
