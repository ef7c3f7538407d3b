"""`manage.py match_breaks`: movements that name no payout are matched with payouts."""

from __future__ import annotations

from refunds.payouts.payout_acts import BREAKS
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = (
        "Ask to match movements of our account with payouts, one to many or many to one. Both come to"
        " the same amount. A second person decides with `approve`."
    )
    examples = ('match_breaks --breaks 3 --payouts 17,18 --by hana --reason "one credit for both"',)
    acts = BREAKS
    verb = "match"
    done = "It waits for a second person."
