"""`manage.py ask_claim_holder`: holders are asked about what we saw."""

from __future__ import annotations

from refunds.claims.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Ask holders to confirm or correct what we saw. Claims under investigation wait for it."
    examples = ('ask_claim_holder --claims FC00000012 --by mika --reason "letter of today"',)
    acts = DESK
    verb = "ask"
    done = "The holders are asked on their own pages."
