"""`manage.py tie_bank_day`: ledger, statements and customers' pages are compared.

The exit code is 3 when they do not agree and somebody has to look.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils import translation

from refunds.payouts import bank_days
from refunds.payouts.bank_day_page import KINDS
from winddown.authority.staff_command import StaffCommand, shown_amount


class Command(StaffCommand):
    help = (
        "Tie the last bank day that is over: what left our accounts by the ledger, by the statements"
        " and by what customers are shown, with each difference by its name."
    )
    examples = ('tie_bank_day --by hana --reason "statement of Friday is loaded"',)
    exits: ClassVar[dict[int, str]] = {
        **StaffCommand.exits,
        3: "tied, but somebody has to look at a difference",
    }

    def act(self, options: dict[str, Any]) -> None:
        tie = bank_days.tie(actor=self.actor(options), reason=options["reason"])
        stated = tie.stated_until.isoformat() if tie.stated_until else "no day"
        self.say(
            f"Bank day {tie.bank_day.isoformat()}: ledger {shown_amount(tie.ledger_minor)},"
            f" statements {shown_amount(tie.statement_minor)} (until {stated}),"
            f" customers {shown_amount(tie.customers_minor)}."
            f" Nothing explains {shown_amount(tie.unexplained_minor)}.",
            bank_day=tie.bank_day,
            ledger_minor=tie.ledger_minor,
            statement_minor=tie.statement_minor,
            customers_minor=tie.customers_minor,
            unexplained_minor=tie.unexplained_minor,
            stated_until=tie.stated_until,
            holds=tie.holds,
        )
        for each in tie.differences.order_by("pk"):
            about = f" of batch {each.batch_id}" if each.batch_id else ""
            about += f" of break {each.found_id}" if each.found_id else ""
            with translation.override("en"):
                kind = str(KINDS[each.kind])
            self.say(
                f"  {kind}{about}: {each.rows:,} ({shown_amount(each.amount_minor)})",
                kind=each.kind,
                batch=each.batch_id,
                found=each.found_id,
                rows=each.rows,
                amount_minor=each.amount_minor,
            )
        if not tie.holds:
            raise SystemExit(3)
