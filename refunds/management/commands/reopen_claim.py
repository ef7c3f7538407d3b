"""`manage.py reopen_claim`: a remedied claim may be opened again."""

from __future__ import annotations

from refunds.claims.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Ask to reopen a claim, because more was lost."
    examples = ('reopen_claim --claim FC00000012 --by hana --reason "more was lost"',)
    acts = DESK
    verb = "reopen"
    done = "The reopening is asked for."
