"""`manage.py release_forgotten_payouts`: ask a second person to let payouts be paid again."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from refunds.payouts import forgotten
from winddown.authority.staff_command import StaffCommand


class Command(StaffCommand):
    help = """
    Ask a second person to let payouts of a file that a restored database forgot be paid again,
    because the bank did not pay them.
    """
    examples = ('release_forgotten_payouts 41 42 --by hana --reason "the bank has no such file"',)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "payouts",
            nargs="+",
            type=int,
            metavar="PAYOUT",
            help="numbers, as confirm_restore says",
        )

    def act(self, options: dict[str, Any]) -> None:
        request = forgotten.ask_release(
            options["payouts"], actor=self.proven_actor(options), reason=options["reason"]
        )
        self.say_awaited("Nothing has changed yet.", request)
