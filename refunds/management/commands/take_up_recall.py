"""`manage.py take_up_recall`: record that the bank has asked the payee's bank to give the money back."""

from __future__ import annotations

from refunds.payouts.recall_acts import RECALLS
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Record that the bank has asked the payee's bank to give the money back."
    examples = (
        'take_up_recall --number 1 --answer "fax of 15 November" --by hana --reason "the bank asks"',
    )
    acts = RECALLS
    verb = "take-up"
    done = "Recorded."
