"""`manage.py escalate_issuer_asks`: overdue requests are escalated."""

from __future__ import annotations

from refunds.remedies.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Escalate overdue requests to a card issuer."
    examples = ('escalate_issuer_asks --requests "4 5" --by mika --reason "called the issuer"',)
    acts = DESK
    verb = "escalate"
    done = "The requests are escalated."
