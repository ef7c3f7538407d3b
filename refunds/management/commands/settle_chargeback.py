"""`manage.py settle_chargeback`: the end of a chargeback is proposed."""

from __future__ import annotations

from refunds.remedies.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Propose that nothing more is expected of what an issuer kept; a second person decides."
    examples = (
        'settle_chargeback --chargeback CB1 --note "the cardholder confirmed the credit" --by mika --reason "letter"',
    )
    acts = DESK
    verb = "settle-chargeback"
    done = "The settlement is proposed."
