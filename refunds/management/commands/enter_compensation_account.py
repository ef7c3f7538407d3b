"""`manage.py enter_compensation_account`: a victim's compensation is paid to a bank account."""

from __future__ import annotations

from refunds.applications.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = (
        "Enter the bank account to which a compensation is paid, also after a transfer came back."
        " The account number and its name are asked for at the terminal, twice."
    )
    examples = (
        "enter_compensation_account --account account:12 --bank-code 0001 --branch-code 001 "
        '--account-type 1 --by mika --reason "letter of the customer"',
    )
    acts = DESK
    verb = "compensation"
    done = "The bank is asked about the account."
