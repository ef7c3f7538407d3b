"""`manage.py propose_application`: a second person is asked to decide."""

from __future__ import annotations

from refunds.applications.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Propose an application for payment. A second person decides with `approve`."
    examples = ('propose_application --application 12 --by mika --reason "papers match"',)
    acts = DESK
    verb = "propose"
    done = "It waits for a second person."
