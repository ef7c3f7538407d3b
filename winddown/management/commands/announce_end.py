"""`manage.py announce_end`: the announcement of the end waits for a second person."""

from __future__ import annotations

from winddown.site.act_command import ActCommand
from winddown.site.programme_acts import PROGRAMME


class Command(ActCommand):
    help = (
        "Ask to announce the end of the service. A second person decides with `manage.py approve`;"
        " then it is public and cannot be taken back."
    )
    examples = ('announce_end --by hana --reason "the board decided"',)
    acts = PROGRAMME
    verb = "announce"
    done = "The announcement waits for a second person. Nothing is public yet."
