"""`manage.py answer_application`: the customer gave what was missing."""

from __future__ import annotations

from refunds.applications.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Record that the customer gave what the application lacked."
    examples = ('answer_application --application 12 --by mika --reason "copy received"',)
    acts = DESK
    verb = "answer"
    done = "The identity is checked again."
