"""`manage.py clear_shared_account`: a second person is asked about a shared account."""

from __future__ import annotations

from refunds.applications.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = (
        "Ask to pay a bank account that many holders gave. A second person decides with `approve`."
    )
    examples = ('clear_shared_account --payee 12 --by mika --reason "a family"',)
    acts = DESK
    verb = "shared"
    done = "It waits for a second person."
