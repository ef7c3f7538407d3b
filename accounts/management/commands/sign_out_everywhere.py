"""`manage.py sign_out_everywhere --account REF`: nothing that is open of the account is accepted."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from accounts.account_argument import account_of, add_account
from accounts.credentials import access
from winddown.authority.staff_command import StaffCommand


class Command(StaffCommand):
    help = "End every session and device token of one account."
    examples = (
        'sign_out_everywhere --account A-1001 --by hana --reason "the telephone is stolen"',
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        add_account(parser)

    def act(self, options: dict[str, Any]) -> None:
        account = account_of(options)
        access.sign_out_everywhere(account, actor=self.actor(options), reason=options["reason"])
        self.say(f"{account} is signed out everywhere.", account=account.pk)
