"""`manage.py keep_apart`: accounts of a match stay apart."""

from __future__ import annotations

from refunds.applications.person_acts import PERSONS
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Say that the accounts of a match are several people's. It is not proposed any more."
    examples = ('keep_apart --match 3 --by hana --reason "father and son"',)
    acts = PERSONS
    verb = "apart"
    done = "The match is not proposed any more."
