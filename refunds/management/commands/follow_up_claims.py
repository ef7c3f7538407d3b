"""`manage.py follow_up_claims`: claims and requests to issuers whose time has come are moved on."""

from typing import Any

from refunds.claims import appeals, ending, holding
from refunds.remedies import follow_up
from winddown.authority.staff_command import StaffCommand


class Command(StaffCommand):
    help = (
        "Mark late answers overdue, open the next route after a missed cut-off, close what is done"
        " (daily)."
    )
    examples = ('follow_up_claims --by hana --reason "the day\'s work"',)

    def act(self, options: dict[str, Any]) -> None:
        done = follow_up.follow_up() | {
            "secured": holding.secure_by_fence(),
            "final": appeals.close_after_appeal_time(),
            "moved_on": ending.move_on(),
        }
        self.say(", ".join(f"{name} {number}" for name, number in done.items()) + ".", **done)
