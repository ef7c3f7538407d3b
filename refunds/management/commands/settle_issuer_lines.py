"""`manage.py settle_issuer_lines`: a second person is asked to settle quarantined lines."""

from __future__ import annotations

from refunds.remedies.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Ask to settle quarantined lines of issuers. A second person decides with `approve`."
    examples = ('settle_issuer_lines --lines "4 5" --by mika --reason "the issuer wrote again"',)
    acts = DESK
    verb = "settle"
    done = "It waits for a second person."
