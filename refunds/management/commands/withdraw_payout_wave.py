"""`manage.py withdraw_payout_wave`: ask a second person to agree that a payout wave does not pay."""

from __future__ import annotations

from refunds.payouts.wave_acts import WAVES
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Ask a second person to agree that a payout wave does not pay."
    examples = ('withdraw_payout_wave --number 1 --by hana --reason "the bank is closed"',)
    acts = WAVES
    verb = "withdraw"
    done = "The wave stands until then."
