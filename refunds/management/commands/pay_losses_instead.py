"""`manage.py pay_losses_instead`: losses take their next route."""

from __future__ import annotations

from refunds.remedies.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Give up routes that cannot be delivered, so that the losses take the next one."
    examples = ('pay_losses_instead --remedies "8 9" --by hana --reason "the card is closed"',)
    acts = DESK
    verb = "instead"
    done = "The losses take their next route."
