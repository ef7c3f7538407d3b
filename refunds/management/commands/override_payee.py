"""`manage.py override_payee`: a second person is asked about a refused payee."""

from __future__ import annotations

from refunds.applications.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Ask to pay a payee that the bank refused. A second person decides with `approve`."
    examples = ('override_payee --payee 12 --by mika --reason "passbook seen"',)
    acts = DESK
    verb = "override"
    done = "It waits for a second person."
