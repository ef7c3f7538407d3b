"""`manage.py match_chargeback`: the charge of a chargeback is proposed."""

from __future__ import annotations

from refunds.remedies.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Propose which charge a chargeback is about; a second person decides."
    examples = (
        'match_chargeback --chargeback CB1 --charge 12 --by mika --reason "same time and amount"',
    )
    acts = DESK
    verb = "match"
    done = "The match is proposed."
