"""`manage.py take_doubt`: Own a doubt about what a card issuer did."""

from __future__ import annotations

from refunds.remedies.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Own a doubt about what a card issuer did."
    examples = ('take_doubt --doubt 4 --by mika --reason "I call the issuer"',)
    acts = DESK
    verb = "take-doubt"
    done = "The doubt is yours."
