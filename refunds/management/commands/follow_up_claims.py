"""`manage.py follow_up_claims`: what time alone changes about claims and asks to issuers has
changed."""

from typing import Any

from refunds.claims import ending, holding
from refunds.remedies import follow_up
from winddown.authority.staff_command import StaffCommand


class Command(StaffCommand):
    help = "Mark silent issuers overdue, let missed cut-offs fall back, close what is over (daily)."

    def act(self, options: dict[str, Any]) -> None:
        done = follow_up.follow_up() | {
            "secured": holding.secure_by_fence(),
            "rested": ending.let_rest(),
        }
        self.say(", ".join(f"{name} {number}" for name, number in done.items()) + ".", **done)
