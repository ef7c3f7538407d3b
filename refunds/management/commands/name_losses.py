"""`manage.py name_losses`: the thief made the movements."""

from __future__ import annotations

from refunds.claims.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Name the movements that the thief made."
    examples = (
        'name_losses --claim FC00000012 --movements "top_up:7 payment:9" --by mika --reason "the holder says so"',
    )
    acts = DESK
    verb = "losses"
    done = "The losses are named."
