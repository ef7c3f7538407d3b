"""`manage.py end_claim_number`: a claim number opens nothing any more."""

from __future__ import annotations

from refunds.applications.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "End a claim number, as when its letter was stolen. No other takes its place."
    examples = ('end_claim_number --reference 0000001289 --by mika --reason "stolen letter"',)
    acts = DESK
    verb = "end-number"
    done = "The claim number is dead."
