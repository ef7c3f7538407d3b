"""`manage.py name_payers`: who made each payment is known."""

from __future__ import annotations

from refunds.claims.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Name who made payments out of the wallet of a claim."
    examples = (
        'name_payers --claim FC00000012 --payments "payment:9 payment:10" --payer holder --by mika --reason "receipts"',
    )
    acts = DESK
    verb = "payers"
    done = "Who paid is named."
