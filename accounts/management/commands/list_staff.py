"""`manage.py list_staff`: the members of staff with their roles and ways in."""

from __future__ import annotations

from typing import Any

from accounts import member_page
from winddown.authority.staff_command import StaffCommand


class Command(StaffCommand):
    help = (
        "List the members of staff: login, name, staff number, roles, and whether they can sign in."
    )

    def act(self, options: dict[str, Any]) -> None:
        member_page.require_sight(self.actor(options, reason_needed=False))
        number = 0
        while True:
            number += 1
            found = member_page.members(page=number)
            for each in found.members:
                self._line(each)
            if not found.more:
                return

    def _line(self, member: member_page.Member) -> None:
        person = member.person
        roles = ", ".join(group.name for group in person.groups.all()) or "no role"
        stands = "usable" if person.is_active else "disabled"
        factor = "second factor" if member.has_factor else "no second factor"
        self.say(
            f"{person.login_id}  {person.display_name}  {person.staff_number}  {roles}  {stands}"
            f"  {factor}",
            login_id=person.login_id,
            name=person.display_name,
            staff_number=person.staff_number,
            roles=[group.name for group in person.groups.all()],
            is_active=person.is_active,
            second_factor=member.has_factor,
        )
