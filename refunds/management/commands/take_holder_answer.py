"""`manage.py take_holder_answer`: what a holder answered to our question is kept."""

from __future__ import annotations

from refunds.claims.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Take the answer of a holder whom we had asked."
    examples = (
        'take_holder_answer --claim FC00000012 --movements top_up:7 --by sora --reason "a call"',
    )
    acts = DESK
    verb = "take-answer"
    done = "The answer is kept."
