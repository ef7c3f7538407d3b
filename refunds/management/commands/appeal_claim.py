"""`manage.py appeal_claim`: a rejection is appealed."""

from __future__ import annotations

from refunds.claims.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Enter the appeal of a holder against a rejection."
    examples = ('appeal_claim --claim FC00000012 --by sora --reason "letter of the holder"',)
    acts = DESK
    verb = "appeal"
    done = "The claim waits for another analyst."
