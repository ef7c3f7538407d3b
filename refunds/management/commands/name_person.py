"""`manage.py name_person`: accounts are proposed as one person's."""

from __future__ import annotations

from refunds.applications.person_acts import PERSONS
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Propose accounts as one person's. Two of their signals must be equal."
    examples = (
        'name_person --accounts "account:12 account:31" --by hana --reason "the customer called"',
    )
    acts = PERSONS
    verb = "name"
    done = "They are on the page of persons."
