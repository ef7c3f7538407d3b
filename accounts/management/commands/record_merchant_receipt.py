"""`manage.py record_merchant_receipt`: a merchant has confirmed the notice by another way than its
link.
"""

from __future__ import annotations

from accounts.merchants.merchant_acts import MERCHANTS
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Record that a merchant has confirmed the notice, with the file that shows it."
    examples = (
        "record_merchant_receipt --merchant M-0001 --channel telephone --received-at "
        '2019-08-02T14:00 --evidence call.txt --by hana --reason "Mr. Sato called"',
    )
    acts = MERCHANTS
    verb = "record-receipt"
    done = "The receipt is recorded."
