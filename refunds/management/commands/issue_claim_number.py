"""`manage.py issue_claim_number`: a customer whose login is gone gets a claim number by letter."""

from __future__ import annotations

from refunds.applications.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Issue a claim number by letter. An earlier one of the customer is dead from now on."
    examples = (
        'issue_claim_number --account account:12 --by mika --reason "the letter did not arrive"',
    )
    acts = DESK
    verb = "number"
    done = "The next file of letters has it."
