"""`manage.py publish_figures`: figures as of an instant are published."""

from __future__ import annotations

from refunds.claims.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Publish victims and damage as of an instant."
    examples = ('publish_figures --as-of 2019-07-31T17:00 --by chie --reason "press conference"',)
    acts = DESK
    verb = "publish"
    done = "The figures are kept."
