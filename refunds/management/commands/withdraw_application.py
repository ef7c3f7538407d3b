"""`manage.py withdraw_application`: an application is taken back."""

from __future__ import annotations

from refunds.applications.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Withdraw an application for a customer, who may apply again."
    examples = ('withdraw_application --application 12 --by mika --reason "the customer called"',)
    acts = DESK
    verb = "withdraw"
    done = "The application is withdrawn."
