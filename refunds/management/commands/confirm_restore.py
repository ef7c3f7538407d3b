"""`manage.py confirm_restore`: ask a second person to confirm the files that a restore forgot."""

from __future__ import annotations

from typing import Any

from refunds.payouts import sent_files
from winddown.authority.staff_command import StaffCommand


class Command(StaffCommand):
    help = "Ask a second person to confirm the payout files that a restored database forgot."
    examples = ('confirm_restore --by hana --reason "the host was lost"',)

    def act(self, options: dict[str, Any]) -> None:
        request = sent_files.ask(actor=self.proven_actor(options), reason=options["reason"])
        for each in request.summary["files"]:
            lines = each.get("payouts", [])
            of = f", {len(lines)} payouts of {sum(line[-1] for line in lines)}" if lines else ""
            self.say(f"{each['name']} is not known here{of}", **each)
            if not self.as_json:
                for payout, entitlement, remedy, amount in lines:
                    paid = f"entitlement {entitlement}" if entitlement else f"remedy {remedy}"
                    self.stdout.write(f"  payout {payout}: {amount} for {paid}")
        self.say_awaited("Nothing has changed yet.", request)
