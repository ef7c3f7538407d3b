"""`manage.py transmit_payout_batch`: record that the exported file of a payout batch was sent to the bank."""

from __future__ import annotations

from refunds.payouts.payout_acts import BATCHES
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = """
    Record that the exported file of a payout batch was sent to the bank. Neither its maker nor an
    approver may.
    """
    examples = ('transmit_payout_batch --number 1 --by hana --reason "sent to the bank"',)
    acts = BATCHES
    verb = "transmit"
    done = "The bank has the file."
