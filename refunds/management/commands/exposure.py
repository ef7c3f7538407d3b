"""`manage.py exposure`: what the fraud can still cost, by source, with the rows of each figure."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from refunds.claims import exposure
from winddown.authority.staff_command import StaffCommand, shown, shown_amount


class Command(StaffCommand):
    help = (
        "Print what thieves can spend now and per hour by source, what is held, recovered and made"
        " good, the loss account, and the reserve for disputed claims; or the rows of one figure."
    )
    examples = ("exposure", "exposure --rows reserve")

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--rows", choices=exposure.CODES, help="the rows of this figure")

    def act(self, options: dict[str, Any]) -> None:
        if options["rows"]:
            for row in exposure.rows(options["rows"]):
                self.say(
                    f"{row.what:<24} {shown(row.at)} {shown_amount(row.amount_minor):>16}"
                    f" {row.source}".rstrip(),
                    what=row.what,
                    claim=row.claim_id,
                    at=row.at,
                    amount_minor=row.amount_minor,
                    source=row.source,
                )
            return
        found = exposure.now()
        for each in found.sources:
            switch = f"off since {shown(each.stopped_at)}" if each.stopped_at else "on"
            self.say(
                f"{each.source or 'own value':<14} spendable {shown_amount(each.spendable_minor)},"
                f" {shown_amount(each.per_hour_minor)} per hour, switch {switch}",
                source=each.source,
                spendable_minor=each.spendable_minor,
                per_hour_minor=each.per_hour_minor,
                at_risk_minor=each.at_risk_minor,
                stopped_at=each.stopped_at,
            )
        for code, amount in {"spendable": found.spendable_minor, **found.figures}.items():
            self.say(f"{code:<14} {shown_amount(amount):>16}", figure=code, amount_minor=amount)
        self.say(
            f"Thieves paid {shown_amount(found.spent_per_hour_minor)} per hour in the last day.",
            figure="spent_per_hour",
            amount_minor=found.spent_per_hour_minor,
        )
