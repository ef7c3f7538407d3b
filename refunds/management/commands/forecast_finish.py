"""`manage.py forecast_finish`: when the refunds will be finished, as a range."""

from __future__ import annotations

from typing import Any

from refunds.payouts.forecast import Range, forecast
from winddown.authority.staff_command import StaffCommand


class Command(StaffCommand):
    help = "Print when the refunds will be finished, as a range by route, from the last 14 days."
    examples = ("forecast_finish --by hana",)

    def act(self, options: dict[str, Any]) -> None:
        self.actor(options, reason_needed=False)
        seen = forecast()
        self.say(
            f"From {seen.days_back} days; {seen.not_applied:,} people have not applied.",
            today=seen.today,
            days_back=seen.days_back,
            not_applied=seen.not_applied,
        )
        for name, found in (*seen.routes.items(), ("all", seen.whole)):
            self.say(f"{name}: {_spoken(found)}", route=name, first=found.first, last=found.last)


def _spoken(found: Range) -> str:
    told = f"{found.waiting:,} wait, {found.paid:,} were paid"
    if found.first is None:
        return f"{told}; the finish cannot be said"
    return f"{told}; finished between {found.first} and {found.last or 'a day that cannot be said'}"
