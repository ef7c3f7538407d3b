"""`manage.py find_persons`: accounts with equal signals are proposed as one person's."""

from __future__ import annotations

from refunds.applications.person_acts import PERSONS
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Look for accounts of one person, by telephone number, name in kana and birth date. Two people merge them."
    examples = ('find_persons --by hana --reason "after the load"',)
    acts = PERSONS
    verb = "find"
    done = "The proposals are on the page of persons."
