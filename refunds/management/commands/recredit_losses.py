"""`manage.py recredit_losses`: points and bonus are given back."""

from __future__ import annotations

from refunds.remedies.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Give back the points and the bonus value that thieves spent."
    examples = ('recredit_losses --by hana --reason "points of victims"',)
    acts = DESK
    verb = "recredit"
    done = "The points and the bonus value are given back."
