"""`manage.py reach_milestone`: a milestone is reached, or refused with the numbers of its gate."""

from __future__ import annotations

from winddown.site.act_command import ActCommand
from winddown.site.programme_acts import PROGRAMME


class Command(ActCommand):
    help = "Mark a milestone as reached, if its gate holds and nothing before it is open."
    examples = ('reach_milestone --kind funds_secured --by hana --reason "the deposit is made"',)
    acts = PROGRAMME
    verb = "reach-milestone"
    done = "The milestone is reached."
