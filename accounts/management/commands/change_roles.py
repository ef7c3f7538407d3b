"""`manage.py change_roles LOGIN`: ask a second person to give a colleague exactly these roles."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from accounts import staff_roles
from accounts.models import User
from winddown.authority import roles
from winddown.authority.staff_command import SHOWN_MIN, StaffCommand


class Command(StaffCommand):
    help = (
        "Ask for a colleague to have exactly the roles that are named, and no other. A second"
        " person decides with `manage.py approve`."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("login_id", help="whose roles change")
        parser.add_argument(
            "--role",
            action="append",
            default=[],
            choices=list(roles.ROLES),
            help="a role of the colleague from then on; repeat it for each, leave it out for none",
        )

    def act(self, options: dict[str, Any]) -> None:
        actor = self.actor(options)
        person = User.objects.named(options["login_id"]).first()
        if person is None:
            raise CommandError(f"{options['login_id']} is nobody here", returncode=2)
        asked = staff_roles.request(
            person, wanted=options["role"], actor=actor, reason=options["reason"]
        )
        self.say(
            f"It waits for a second person: manage.py approve {asked.subject}"
            f" --digest {asked.digest[:SHOWN_MIN]}",
            subject=asked.subject,
            digest=asked.digest,
        )
