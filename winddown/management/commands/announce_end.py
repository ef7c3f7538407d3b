"""`manage.py announce_end`: the end of the service is public."""

from __future__ import annotations

from winddown.site.act_command import ActCommand
from winddown.site.programme_acts import PROGRAMME


class Command(ActCommand):
    help = "Announce the end of the service. This cannot be taken back."
    acts = PROGRAMME
    verb = "announce"
    done = "The end of the service is public."
