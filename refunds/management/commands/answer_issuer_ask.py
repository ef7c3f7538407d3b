"""`manage.py answer_issuer_ask`: a second person is asked to count an answer without a file."""

from __future__ import annotations

from refunds.remedies.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = (
        "Type an issuer's answer that came without a file. A second person decides with `approve`."
    )
    examples = (
        "answer_issuer_ask --request 4 --answer accepted_debit_stopped --answered-at 2019-07-08T15:00"
        ' --evidence "letter 17" --by mika --reason "letter of 8 July"',
    )
    acts = DESK
    verb = "by-hand"
    done = "It waits for a second person."
