"""`manage.py finish_recall`: record that a recall is done, once the bank's file shows that the money came back."""

from __future__ import annotations

from refunds.payouts.recall_acts import RECALLS
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Record that a recall is done, once the bank's file shows that the money came back."
    examples = (
        'finish_recall --number 1 --answer "result file 12" --by hana --reason "came back"',
    )
    acts = RECALLS
    verb = "done"
    done = "Recorded."
