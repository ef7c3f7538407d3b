"""`manage.py load_bank_codes`: a list of bank and branch codes is loaded."""

from __future__ import annotations

from refunds.payouts.bank_code_acts import BANK_CODES
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = (
        "Load a list of bank and branch codes: a CSV, or the installed list. The first one is in"
        " force at once; a second person decides about every later one."
    )
    examples = (
        'load_bank_codes --by hana --reason "the installed list"',
        'load_bank_codes --file codes.csv --list-version 2020-02 --by hana --reason "the list of February"',
    )
    acts = BANK_CODES
    verb = "load"
    done = "The list is loaded."
