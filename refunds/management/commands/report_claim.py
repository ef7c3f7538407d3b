"""`manage.py report_claim`: a report of fraud is taken."""

from __future__ import annotations

from refunds.claims.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Take a report of fraud by telephone, on paper or from a card issuer."
    examples = (
        'report_claim --wallet account:12 --channel support --by sora --reason "the holder called"',
    )
    acts = DESK
    verb = "report"
    done = "The wallet has a claim."
