"""`manage.py block_payments`: a customer is paid nothing."""

from __future__ import annotations

from refunds.payouts.payment_block_acts import BLOCKS
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Block payments to a customer: a sanction list, a dispute or a legal hold. A second person confirms."
    acts = BLOCKS
    verb = "enter"
    done = "Nothing is paid to the customer. A second person is asked to confirm it."
