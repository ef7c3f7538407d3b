"""`manage.py record_chargeback_outcome`: what the scheme says is recorded."""

from __future__ import annotations

from refunds.remedies.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Record what the scheme or the issuer says about our defence."
    examples = (
        'record_chargeback_outcome --chargeback CB1 --outcome win --by mika --reason "notice of 2 September"',
    )
    acts = DESK
    verb = "outcome"
    done = "What the scheme says is recorded."
