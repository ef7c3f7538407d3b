"""`manage.py disable_account --account REF`: nobody is let into a customer's account. `--undo` lets
its owner in again.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from accounts.account_argument import account_of, add_account
from accounts.credentials import access
from accounts.models import User
from winddown.authority.staff_command import StaffCommand


class Command(StaffCommand):
    help = (
        "Let nobody into a customer's account and end what is open of it, or let its owner in again."
        " For a colleague see `staff disable`."
    )
    examples = (
        'disable_account --account A-1001 --by hana --reason "a thief has the telephone"',
        'disable_account --account A-1001 --undo --by hana --reason "the owner came"',
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        add_account(parser)
        parser.add_argument("--undo", action="store_true", help="let the owner in again")

    def act(self, options: dict[str, Any]) -> None:
        account = account_of(options)
        if account.kind == User.Kind.STAFF:
            raise CommandError(
                f"for a colleague: manage.py staff disable {account.login_id}", returncode=2
            )
        verb = access.enable if options["undo"] else access.disable
        verb(account, actor=self.actor(options), reason=options["reason"])
        done = "lets its owner in again" if options["undo"] else "is disabled"
        self.say(f"{account} {done}.", account=account.pk)
