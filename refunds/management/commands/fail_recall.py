"""`manage.py fail_recall`: record that a recall failed: the payee keeps the money."""

from __future__ import annotations

from refunds.payouts.recall_acts import RECALLS
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Record that a recall failed: the payee keeps the money."
    examples = (
        'fail_recall --number 1 --answer "letter of 20 November" --by hana --reason "the payee refused"',
    )
    acts = RECALLS
    verb = "failed"
    done = "Recorded: nothing is restored."
