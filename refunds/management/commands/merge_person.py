"""`manage.py merge_person`: a second person is asked to merge accounts."""

from __future__ import annotations

from refunds.applications.person_acts import PERSONS
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Ask to merge the accounts of a match into one person. A second person decides with `approve`."
    examples = (
        'merge_person --match 3 --evidence "call of 3 October" --by hana --reason "the customer said so"',
    )
    acts = PERSONS
    verb = "merge"
    done = "It waits for a second person."
