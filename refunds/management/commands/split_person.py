"""`manage.py split_person`: a second person is asked to undo a merge."""

from __future__ import annotations

from refunds.applications.person_acts import PERSONS
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Ask to take the accounts of a person apart. A second person decides with `approve`."
    examples = (
        'split_person --person 2 --evidence "file 7" --by hana --reason "two people after all"',
    )
    acts = PERSONS
    verb = "undo"
    done = "It waits for a second person."
