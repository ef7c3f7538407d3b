"""`manage.py choose_method`: a customer whose money did not arrive is paid by another method."""

from __future__ import annotations

from refunds.applications.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = (
        "Pay a customer by a postal order or a claim code, when the money did not arrive."
        " Name and address are asked for at the terminal; leave them empty for a code."
    )
    examples = (
        "choose_method --application 12 --method postal_order --fallback-consent yes --by mika "
        '--reason "letter of the customer"',
    )
    acts = DESK
    verb = "method"
    done = "The next payout run pays it by this method."
