"""`manage.py stop_payout_release`: a released payout file stays."""

from __future__ import annotations

from refunds.payouts.payout_acts import BATCHES
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Stop the release of a payout file that nobody has exported yet."
    examples = ('stop_payout_release --number 1 --by hana --reason "the bank called"',)
    acts = BATCHES
    verb = "stop"
    done = "The file stays."
