"""`manage.py attach_correction`: the electronic notice carries what interrupted it."""

from __future__ import annotations

from winddown.site.act_command import ActCommand
from winddown.site.programme_acts import PROGRAMME


class Command(ActCommand):
    help = "Attach fact, time and content of the interruptions to the electronic notice."
    examples = (
        'attach_correction --statement "The address was wrong" --evidence page.pdf --by '
        'hana --reason "mended"',
    )
    acts = PROGRAMME
    verb = "attach-correction"
    done = "The correction is attached. Put the file in place within the hour."
