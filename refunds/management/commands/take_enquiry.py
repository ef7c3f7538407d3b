"""`manage.py take_enquiry`: a question of a customer is taken."""

from __future__ import annotations

from refunds.claims.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Take a question of a customer who names no movement."
    examples = (
        'take_enquiry --wallet account:12 --channel support --words "paid with no balance" --by sora --reason "a call"',
    )
    acts = DESK
    verb = "enquire"
    done = "The question waits for an answer."
