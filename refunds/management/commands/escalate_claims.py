"""`manage.py escalate_claims`: a supervisor looks after claims."""

from __future__ import annotations

from refunds.claims.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Put claims first in the queue, for a supervisor."
    examples = ('escalate_claims --claims FC00000012 --by mika --reason "a newspaper asks"',)
    acts = DESK
    verb = "escalate"
    done = "The claims are escalated."
