"""`manage.py enter_application`: an application for a customer is in."""

from __future__ import annotations

from refunds.applications.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = (
        "Enter an application for a customer, from paper or by telephone."
        " The account number and its name are asked for at the terminal, twice."
    )
    examples = (
        "enter_application --account account:12 --bank-code 0001 --branch-code 001 "
        '--account-type 1 --channel paper --by mika --reason "paper form 7"',
    )
    acts = DESK
    verb = "enter"
    done = "The application is in."
