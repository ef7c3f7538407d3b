"""`manage.py record_bank_rejection`: record that the bank refused a whole file."""

from __future__ import annotations

from refunds.payouts.payout_acts import BATCHES
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Record that the bank refused a whole file, by the message that says so. A second person agrees."
    examples = (
        'record_bank_rejection --number 1 --evidence letter.pdf --by hana --reason "refused"',
    )
    acts = BATCHES
    verb = "refusal"
    done = "Nothing has changed yet."
