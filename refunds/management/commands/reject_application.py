"""`manage.py reject_application`: an application ends unpaid."""

from __future__ import annotations

from refunds.applications.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Reject an application. The customer may apply again."
    examples = (
        'reject_application --application 12 --rejection no_answer --by mika --reason "silent for 30 days"',
    )
    acts = DESK
    verb = "reject"
    done = "The application is rejected."
