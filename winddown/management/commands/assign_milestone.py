"""`manage.py assign_milestone`: a milestone has an owner, a gate, and what comes before it."""

from __future__ import annotations

from winddown.site.act_command import ActCommand
from winddown.site.programme_acts import PROGRAMME


class Command(ActCommand):
    help = "Say who answers for a milestone, and what it waits for."
    examples = (
        "assign_milestone --kind funds_secured --owner-role compliance --owner hana "
        '--gate funds --by hana --reason "plan of the board"',
    )
    acts = PROGRAMME
    verb = "assign-milestone"
    done = "The milestone is assigned."
