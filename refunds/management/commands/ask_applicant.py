"""`manage.py ask_applicant`: the customer is asked for something."""

from __future__ import annotations

from refunds.applications.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Ask the customer for something that the application lacks."
    examples = (
        'ask_applicant --application 12 --asked-for identity --by mika --reason "copy is blurred"',
    )
    acts = DESK
    verb = "ask"
    done = "The application waits for the customer."
