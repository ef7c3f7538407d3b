"""`manage.py take_up_claims`: claims are under investigation."""

from __future__ import annotations

from refunds.claims.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Take claims up, so that you work on them."
    examples = ('take_up_claims --claims "FC00000012 FC00000013" --by mika --reason "reported"',)
    acts = DESK
    verb = "take-up"
    done = "The claims are under investigation."
