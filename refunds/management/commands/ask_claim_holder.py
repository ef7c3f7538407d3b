"""`manage.py ask_claim_holder`: claims wait for their holders."""

from __future__ import annotations

from refunds.claims.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Let claims wait until the holder has said which movements are strange."
    examples = ('ask_claim_holder --claims FC00000012 --by mika --reason "letter of today"',)
    acts = DESK
    verb = "ask"
    done = "The claims wait for their holders."
