"""`manage.py answer_enquiry`: a question of a customer is answered."""

from __future__ import annotations

from refunds.claims.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Answer a question. The customer reads it on the own page."
    examples = (
        'answer_enquiry --enquiry 3 --answer "the charge came later" --by mika --reason "looked at"',
    )
    acts = DESK
    verb = "answer-enquiry"
    done = "The customer reads the answer."
