"""`manage.py find_unusual`: the rules look at the newest applications."""

from __future__ import annotations

from refunds.applications.unusual_acts import UNUSUAL
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = (
        "Look for unusual applications now. The clockwork does it every hour. Nothing is refused."
    )
    examples = ('find_unusual --by hana --reason "before the payout"',)
    acts = UNUSUAL
    verb = "find"
    done = "The list is on the page of unusual applications."
