"""`manage.py set_milestone`: a deadline holds from its instant on."""

from __future__ import annotations

from winddown.site.act_command import ActCommand
from winddown.site.programme_acts import PROGRAMME


class Command(ActCommand):
    help = "Set a deadline, or move one that has not passed."
    examples = (
        'set_milestone --kind spend_ends --at 2019-09-30T24:00 --by hana --reason "announced so"',
    )
    acts = PROGRAMME
    verb = "set-milestone"
    done = "The deadline is set."
