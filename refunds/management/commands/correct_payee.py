"""`manage.py correct_payee`: a customer has another bank account."""

from __future__ import annotations

from refunds.applications.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = (
        "Enter another bank account for a customer."
        " The account number and its name are asked for at the terminal, twice."
    )
    examples = (
        "correct_payee --account account:12 --bank-code 0001 --branch-code 001 "
        '--account-type 1 --by mika --reason "letter of the customer"',
    )
    acts = DESK
    verb = "correct"
    done = "The bank is asked about the account."
