"""`manage.py give_up_payout`: record that no further transfer of a returned payout is tried."""

from __future__ import annotations

from refunds.payouts.payout_acts import BATCHES
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Record that no further transfer of a returned payout is tried."
    examples = ('give_up_payout --number 1 --by hana --reason "three returns"',)
    acts = BATCHES
    verb = "give-up"
    done = "No further transfer of it is tried."
