"""`manage.py release_refund`: a second person is asked to release a refund."""

from __future__ import annotations

from refunds.applications.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Ask to release a held refund. A second person decides with `approve`."
    examples = ('release_refund --refund entitlement:12 --by ren --reason "the suspicion is gone"',)
    acts = DESK
    verb = "release"
    done = "It waits for a second person."
