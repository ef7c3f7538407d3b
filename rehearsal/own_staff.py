"""The staff of an operator's rehearsal: people of the set-up file, and simulated ones beside them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction

from accounts import staff_adding
from accounts.models import User
from rehearsal.doors import Doors
from winddown.authority import roles, who_can
from winddown.models import Run
from winddown.programme import time_travel

WHY = "rehearsal"


class Staff:
    """Two people in each role, who act through `doors`. `tell` is told what happened."""

    def __init__(self, *, tell: Callable[[str], object]) -> None:
        self.doors = Doors()
        self.tell = tell
        self.people: dict[str, list[str]] = defaultdict(list)

    def note_who_is_missing(self) -> None:
        """Each step that nobody in the set-up file can carry out is a stall."""
        for name in who_can.ways():
            if missing := who_can.way(name).missing:
                why = f"nobody in the file can {', '.join(missing)}"
                self.doors.stall(
                    f"{name}: people",
                    len(missing),
                    why,
                    role="incident_commander",
                    door="staff roles",
                )

    @transaction.atomic
    def bring_in(self) -> None:
        """Two people hold each role. Whoever the file does not name is simulated."""
        for role in roles.ROLES:
            held = User.objects.filter(groups__name=role).order_by("pk")
            self.people[role] = [each.login_id for each in held]
            while len(self.people[role]) < 2:
                login = f"simulated.{role.replace('_', '.')}.{len(self.people[role]) + 1}"
                person = staff_adding.make(
                    login_id=login, name=login, email=f"{login}@example.com", staff_number=login
                )
                person.groups.add(Group.objects.get(name=role))
                self.people[role].append(login)

    def login(self, role: str, number: int = 0) -> str:
        return self.people[role][number]

    def user(self, role: str) -> User:
        return User.objects.get(login_id=self.login(role))

    def act(self, role: str, *words: str, number: int = 0) -> dict[str, Any] | None:
        """Somebody in the role ran the command. Returns the facts that it told; None after a
        refusal, which is a stall.
        """
        return self.doors.run(*words, by=self.login(role, number), reason=WHY)

    def decide(self, told: dict[str, Any] | None, role: str, *, number: int = 0) -> bool:
        """Somebody in the role approved what a command said to wait for a second person."""
        return told is not None and self.approve(str(told["subject"]), role, number=number)

    def approve(self, subject: str, role: str, *, number: int = 0) -> bool:
        """Somebody in the role approved what waits about the subject."""
        return self.doors.decide(subject, by=self.login(role, number), reason=WHY)

    def carry_out(
        self, command: str, params: dict[str, Any], *, maker: str, checker: str, second: int = 0
    ) -> Run | None:
        """Two people planned and approved the workflow, and it ran. Returns the run, or None."""
        run = self.doors.carry_out(
            command,
            maker=self.login(maker),
            checker=self.login(checker, second),
            reason=WHY,
            params=params,
        )
        part = f" {params['part']}" if "part" in params else ""
        self.tell(f"{command}{part}: {run.state if run else 'did not run'}")
        return run

    @staticmethod
    def go_on(to: dt.datetime) -> None:
        """It is `to`, and all that fell due on the way was done."""
        for _at in time_travel.go_on(to):
            pass
