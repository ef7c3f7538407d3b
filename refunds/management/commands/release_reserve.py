"""`manage.py release_reserve`: a second person is asked to release the reserve of claims."""

from __future__ import annotations

from refunds.claims.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Ask a second person to release what the funds must hold for disputed claims."
    examples = ('release_reserve --claims FC00000012 --by hana --reason "insured elsewhere"',)
    acts = DESK
    verb = "release-reserve"
    done = "The release of the reserve is asked for."
