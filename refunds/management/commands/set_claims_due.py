"""`manage.py set_claims_due`: claims are due at an instant."""

from __future__ import annotations

from refunds.claims.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Set until when claims are due."
    examples = (
        'set_claims_due --claims FC00000012 --until 2019-07-31T17:00 --by mika --reason "promised"',
    )
    acts = DESK
    verb = "due"
    done = "The claims have a due date."
