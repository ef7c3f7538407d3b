"""`manage.py accept_payout_batch`: record that the bank took the file of a payout batch."""

from __future__ import annotations

from refunds.payouts.payout_acts import BATCHES
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Record that the bank took the file of a payout batch."
    examples = ('accept_payout_batch --number 1 --by hana --reason "receipt of the bank"',)
    acts = BATCHES
    verb = "accept"
    done = "The bank will carry the file out on its value date."
