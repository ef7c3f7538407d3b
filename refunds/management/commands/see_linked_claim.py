"""`manage.py see_linked_claim`: somebody looked at two linked claims."""

from __future__ import annotations

from refunds.claims.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = (
        "Say what the link between two claims means. Until then no decision about them is proposed."
    )
    examples = (
        'see_linked_claim --claim FC00000012 --other FC00000017 --by mika --reason "one family"',
    )
    acts = DESK
    verb = "see-link"
    done = "The link blocks no decision."
