"""`manage.py block_payments`: a customer is paid nothing."""

from __future__ import annotations

from refunds.payouts.payment_block_acts import BLOCKS
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Block payments to a customer: a sanction list, a dispute or a legal hold. A second person confirms."
    examples = (
        'block_payments --account A-1001 --kind dispute --evidence "file 12" --ends-at '
        '2019-12-31T24:00 --by hana --reason "a court asks"',
    )
    acts = BLOCKS
    verb = "enter"
    done = "Nothing is paid to the customer. A second person is asked to confirm it."
