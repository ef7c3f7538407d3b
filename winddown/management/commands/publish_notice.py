"""`manage.py publish_notice`: the public notice stands."""

from __future__ import annotations

from winddown.site.act_command import ActCommand
from winddown.site.programme_acts import PROGRAMME


class Command(ActCommand):
    help = "Publish the public notice of the refund, with every statutory field."
    acts = PROGRAMME
    verb = "publish-notice"
    done = "The notice is published."
