"""`manage.py clear_breaks`: ask a second person to agree to what all open breaks of a kind were."""

from __future__ import annotations

from refunds.payouts.payout_acts import BREAKS
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Ask a second person to agree to what all open breaks of a kind were."
    examples = (
        "clear_breaks --kind unknown_reference --explanation"
        ' "a copy of Friday" --by hana --reason "the bank called"',
    )
    acts = BREAKS
    verb = "clear-all"
    done = "The breaks are open until then."
