"""`manage.py release_payout_batch`: an approved payout file leaves after the grace."""

from __future__ import annotations

from refunds.payouts.payout_acts import BATCHES
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = (
        "Release an approved payout file: it leaves after the grace, and can be stopped until then."
    )
    examples = ('release_payout_batch --number 1 --by hana --reason "transfers of Friday"',)
    acts = BATCHES
    verb = "release"
    done = "Released: it can be stopped until it is exported."
