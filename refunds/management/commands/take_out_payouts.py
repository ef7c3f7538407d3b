"""`manage.py take_out_payouts`: ask to take payouts out of a file that the bank does not have."""

from __future__ import annotations

from refunds.payouts.payout_acts import BATCHES
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Ask a second person to take payouts out of a file that the bank does not have."
    examples = (
        'take_out_payouts --number 1 --payouts "3, 17" --by hana --reason "a doubt about two"',
    )
    acts = BATCHES
    verb = "lines"
    done = "The file stays as it is until then."
