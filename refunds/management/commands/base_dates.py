"""`manage.py base_dates`: the unused balance and the security deposit at each base date."""

from __future__ import annotations

from typing import Any

from refunds.closing import base_dates
from winddown.authority.staff_command import StaffCommand


class Command(StaffCommand):
    help = "Show the unused balance at each base date since the launch, and the deposit for it."
    examples = ('base_dates --by hana --reason "report of the base date"',)

    def act(self, options: dict[str, Any]) -> None:
        self.actor(options)
        for day in base_dates.passed():
            found = base_dates.of(day)
            self.say(
                f"{found.day}: unused balance {found.unused_minor:,}, deposit"
                f" {found.deposit_minor:,}",
                day=found.day.isoformat(),
                unused_minor=found.unused_minor,
                deposit_minor=found.deposit_minor,
            )
