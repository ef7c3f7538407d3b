"""`manage.py recall_payout`: put the recall of a transfer on the list: the bank is told by hand."""

from __future__ import annotations

from refunds.payouts.recall_acts import RECALLS
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Put the recall of a transfer on the list: the bank is told by hand."
    examples = ('recall_payout --number 7 --by hana --reason "wrong payee"',)
    acts = RECALLS
    verb = "ask"
    done = "On the list: tell the bank."
