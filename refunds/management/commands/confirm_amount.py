"""`manage.py confirm_amount`: the customer agreed to the amount."""

from __future__ import annotations

from refunds.applications.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Record that the customer agreed to the amount."
    examples = ('confirm_amount --application 12 --by mika --reason "said on the telephone"',)
    acts = DESK
    verb = "confirm"
    done = "The amount is confirmed."
