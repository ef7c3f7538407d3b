"""`manage.py leave_service`: a customer leaves the service, and the balance stays owed."""

from __future__ import annotations

from refunds.applications.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = (
        "Let a customer leave the service. Nothing is charged to the wallet or spent from it any"
        " more, and the balance is refunded after the end."
    )
    examples = ('leave_service --account account:12 --by mika --reason "letter of the customer"',)
    acts = DESK
    verb = "leave"
    done = "The wallet closes; its balance stays owed."
