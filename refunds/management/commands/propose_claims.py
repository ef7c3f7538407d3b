"""`manage.py propose_claims`: a decision about claims is proposed."""

from __future__ import annotations

from refunds.claims.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Propose to confirm or to reject claims."
    examples = (
        'propose_claims --claims "FC00000012 FC00000013" --verdict confirm --by mika --reason "investigated"',
    )
    acts = DESK
    verb = "propose"
    done = "The claims are proposed."
