"""`manage.py hold_candidates`: the suspicious value in the candidates' wallets is held."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from refunds.claims import holding
from winddown.authority.staff_command import StaffCommand, shown_amount


class Command(StaffCommand):
    help = (
        "Hold what is suspicious in the wallets of all candidates, at once and by one person; a"
        " release takes a supervisor. Without --hold: say what would be held."
    )
    examples = (
        "hold_candidates --by hana",
        'hold_candidates --hold --by hana --reason "claims of the rules"',
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--hold", action="store_true", help="hold it now")
        parser.add_argument(
            "--whole", action="store_true", help="the whole wallets, not the suspicious part"
        )

    def act(self, options: dict[str, Any]) -> None:
        chosen = list(holding.candidates())
        plan = holding.plan_hold(chosen, whole=options["whole"])
        if not options["hold"]:
            self.say(
                f"{plan.claims:,} candidates; {shown_amount(plan.amount_minor)} in"
                f" {plan.wallets:,} wallets would be held.",
                candidates=plan.claims,
                wallets=plan.wallets,
                amount_minor=plan.amount_minor,
            )
            return
        held = holding.hold_candidates(
            chosen, actor=self.actor(options), reason=options["reason"], whole=options["whole"]
        )
        self.say(f"{held:,} wallets held.", candidates=plan.claims, held=held)
