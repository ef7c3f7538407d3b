"""`manage.py report_stolen_card`: a cardholder without a wallet reported a stolen card."""

from __future__ import annotations

from refunds.claims.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Take a report of a stolen card. The wallet that it charged is held."
    examples = (
        'report_stolen_card --charge top_up:7 --channel issuer --by sora --reason "letter of the bank"',
    )
    acts = DESK
    verb = "report-card"
    done = "The wallet that the card charged is held."
