"""`manage.py answer_chargeback`: the answer to a chargeback is proposed."""

from __future__ import annotations

from refunds.remedies.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Propose how a chargeback is answered; a second person decides."
    examples = (
        'answer_chargeback --chargeback CB1 --answer represent --by mika --reason "refunded on 8 July"',
    )
    acts = DESK
    verb = "reply"
    done = "The answer to a chargeback is proposed."
