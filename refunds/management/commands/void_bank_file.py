"""`manage.py void_bank_file`: a second person is asked to undo what a file of the bank changed."""

from __future__ import annotations

from refunds.payouts.answer_acts import ANSWERS
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = (
        "Ask to void a file of the bank: all that it changed is undone when a second person agrees"
        " with `approve`."
    )
    examples = (
        'void_bank_file --number 7 --by hana --reason "the bank sent the file of another customer"',
    )
    acts = ANSWERS
    verb = "void"
    done = "It waits for a second person."
