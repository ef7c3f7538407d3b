"""`manage.py settle_doubt`: Ask a second person to settle a doubt about what a card issuer did."""

from __future__ import annotations

from refunds.remedies.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Ask a second person to settle a doubt about what a card issuer did."
    examples = ('settle_doubt --doubt 4 --verdict last --by mika --reason "letter of the issuer"',)
    acts = DESK
    verb = "settle-doubt"
    done = "A second person is asked."
