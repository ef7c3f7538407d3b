"""`manage.py snooze_claims`: claims leave the queue for a time."""

from __future__ import annotations

from refunds.claims.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Put claims off until an instant."
    examples = (
        'snooze_claims --claims FC00000012 --until 2019-07-20T09:00 --by mika --reason "the shop answers"',
    )
    acts = DESK
    verb = "snooze"
    done = "The claims are put off."
