"""`manage.py close_claims`: remedied claims are closed."""

from __future__ import annotations

from refunds.claims.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Close claims whose every loss was made good."
    examples = ('close_claims --claims FC00000012 --by hana --reason "nothing is left"',)
    acts = DESK
    verb = "close"
    done = "The claims are closed."
