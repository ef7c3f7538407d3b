"""`manage.py lift_payment_block`: a second person is asked to end a block."""

from __future__ import annotations

from refunds.payouts.payment_block_acts import BLOCKS
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Ask to lift a payment block before its time. A second person decides with `approve`."
    examples = ('lift_payment_block --number 2 --by hana --reason "the court agrees"',)
    acts = BLOCKS
    verb = "lift"
    done = "It waits for a second person."
