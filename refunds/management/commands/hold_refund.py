"""`manage.py hold_refund`: nothing is paid on a refund."""

from __future__ import annotations

from refunds.applications.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Hold a refund: nothing is paid on it until two people release it."
    examples = ('hold_refund --refund entitlement:12 --by hana --reason "a suspicion"',)
    acts = DESK
    verb = "hold"
    done = "Nothing is paid on the refund."
