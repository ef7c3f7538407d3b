"""`manage.py register_chargeback`: a chargeback is registered."""

from __future__ import annotations

from refunds.remedies.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Register a chargeback of a card issuer."
    examples = (
        "register_chargeback --issuer SAKURA_CARD --chargeback-ref CB1 --scheme visa --scheme-reason 10.4"
        ' --amount 30000 --arn 12345678 --due-at 2019-09-30T24:00 --by mika --reason "notice of the scheme"',
    )
    acts = DESK
    verb = "chargeback"
    done = "The chargeback is registered."
