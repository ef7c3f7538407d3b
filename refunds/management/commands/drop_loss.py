"""`manage.py drop_loss`: a movement is no loss."""

from __future__ import annotations

from refunds.claims.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Drop a loss: the thief did not make the movement."
    examples = ('drop_loss --loss 3 --by mika --reason "the holder remembers it"',)
    acts = DESK
    verb = "drop-loss"
    done = "The loss is dropped."
