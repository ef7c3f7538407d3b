"""`manage.py ask_claims_again`: an expired request is open again."""

from __future__ import annotations

from refunds.claims.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Ask for a decision about claims again, after the request expired."
    examples = ('ask_claims_again --decision 4 --by mika --reason "nobody was there"',)
    acts = DESK
    verb = "ask-again"
    done = "The decision is asked for again."
