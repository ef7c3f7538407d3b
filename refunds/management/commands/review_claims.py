"""`manage.py review_claims`: another supervisor looks at claims of a sample."""

from __future__ import annotations

from refunds.claims.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Review claims of the sample of a list, before somebody else decides the list."
    examples = (
        'review_claims --claims "FC00000012 FC00000031" --finding agrees --by hana --reason "read"',
    )
    acts = DESK
    verb = "review"
    done = "The review is stored."
