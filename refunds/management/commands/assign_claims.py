"""`manage.py assign_claims`: claims are somebody's work."""

from __future__ import annotations

from refunds.claims.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Make claims the work of a member of staff."
    examples = (
        'assign_claims --claims FC00000012 --member mika --by hana --reason "case of the week"',
    )
    acts = DESK
    verb = "assign"
    done = "The claims are assigned."
