"""`manage.py resume_claims`: claims wait for nobody."""

from __future__ import annotations

from refunds.claims.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Go on with claims that waited for their holders."
    examples = ('resume_claims --claims FC00000012 --by mika --reason "the holder answered"',)
    acts = DESK
    verb = "resume"
    done = "The claims are under investigation."
