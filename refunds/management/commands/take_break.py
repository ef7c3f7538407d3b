"""`manage.py take_break`: see to a break that an answer of the bank left."""

from __future__ import annotations

from refunds.payouts.payout_acts import BREAKS
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "See to a break that an answer of the bank left."
    examples = ('take_break --number 1 --by hana --reason "mine"',)
    acts = BREAKS
    verb = "take"
    done = "The break is yours."
